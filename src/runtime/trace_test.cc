// trace.json: what was written is read, and nothing that can't be true.
#include "runtime/trace.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/json.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

class TraceFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("fye-trace-test-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path file(const char* name = "a.json") const { return folder_ / name; }

  // What reading says after a change of the file.
  template <class Change>
  std::string refused(const Change& change) {
    auto json = *read_json(file());
    change(json);
    EXPECT_TRUE(write_json(file("b.json"), json));
    const auto result = read_trace(file("b.json"), "sha");
    return result ? "accepted" : result.error().text();
  }

  fs::path folder_;
};

Trace some_trace() {
  Trace trace{.graph_sha256 = "sha", .threads = 2};
  trace.machine = MachineId{"cpu", "avx2", "0.1", 2};
  trace.width = 64;
  trace.height = 48;
  trace.conditions = {{"load", "0.10"}};
  trace.plans[3] = {{.units = {"a"}, .processor = "cpu.int8", .reason = {}}, {.units = {"b", "c"}, .processor = "cpu.f32", .reason = {}}};
  FrameTrace frame;
  frame.frame = 1;
  frame.entry = 3;
  frame.ms = 12.5;
  frame.deadline_ms = 10;
  frame.late = true;
  frame.units = {{"a", 5}, {"b", 4.25}, {"c", 1}};
  frame.hand_overs = {{"x", 0.5}};
  frame.moving = 0.75, frame.around = 0.5, frame.waiting = 0.75, frame.rest = -0.25;
  trace.frames = {frame};
  return trace;
}

TEST_F(TraceFile, ComesBackAsItWas) {
  const Trace trace = some_trace();
  ASSERT_TRUE(write_trace(file(), trace));
  const auto read = read_trace(file(), "sha");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->threads, 2);
  EXPECT_EQ(read->machine, trace.machine);
  EXPECT_EQ(read->width, 64);
  EXPECT_EQ(read->height, 48);
  EXPECT_EQ(read->conditions, trace.conditions);
  ASSERT_EQ(read->plans.size(), 1u);
  ASSERT_EQ(read->plans.at(3).size(), 2u);
  EXPECT_EQ(read->plans.at(3)[1].units, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(read->plans.at(3)[1].processor, "cpu.f32");
  ASSERT_EQ(read->frames.size(), 1u);
  const FrameTrace &a = trace.frames[0], &b = read->frames[0];
  EXPECT_EQ(b.frame, a.frame);
  EXPECT_EQ(b.entry, a.entry);
  EXPECT_EQ(b.late, a.late);
  EXPECT_EQ(b.units, a.units);
  EXPECT_EQ(b.hand_overs, a.hand_overs);
  EXPECT_EQ(b.ms + b.deadline_ms + b.moving + b.around + b.waiting + b.rest,
            a.ms + a.deadline_ms + a.moving + a.around + a.waiting + a.rest);
}

TEST_F(TraceFile, OldOnesSayLess) {
  Trace trace = some_trace();
  trace.machine.reset();
  trace.width = trace.height = 0;
  trace.conditions.clear();
  trace.plans.clear();
  ASSERT_TRUE(write_trace(file(), trace));
  const auto read = read_trace(file(), "");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_FALSE(read->machine);
  EXPECT_TRUE(read->plans.empty());
}

TEST_F(TraceFile, RefusesWhatCannotBeTrue) {
  ASSERT_TRUE(write_trace(file(), some_trace()));
  const auto says = [&](const char* what, const auto& change) {
    const std::string said = refused(change);
    EXPECT_NE(said.find(what), said.npos) << said;
  };
  says("another model file", [](Json& j) { j["graph"] = "other"; });
  says("version", [](Json& j) { j["version"] = 2; });
  says("threads", [](Json& j) { j["threads"] = 0; });
  says("there are none", [](Json& j) { j["frames"] = Json::array(); });
  says("not a list", [](Json& j) { j["frames"] = 5; });
  says("frames[0]", [](Json& j) { j["frames"][0] = "x"; });
  says("frames[0].ms", [](Json& j) { j["frames"][0]["ms"] = -1; });
  says("frames[0].ms", [](Json& j) { j["frames"][0]["ms"] = nullptr; });
  says("frames[0].late", [](Json& j) { j["frames"][0]["late"] = 1; });
  says("frames[0].units", [](Json& j) { j["frames"][0]["units"]["a"] = "5"; });
  says("frames[0].units", [](Json& j) { j["frames"][0]["units"]["a"] = -5; });
  says("frames[0].hand_overs", [](Json& j) { j["frames"][0]["hand_overs"] = {1}; });
  says("frames[0].entry", [](Json& j) { j["frames"][0]["entry"] = -1; });
  says("\"x\" is not the number", [](Json& j) { j["plans"]["x"] = j["plans"]["3"]; });
  says("has no list of steps", [](Json& j) { j["plans"]["3"] = Json::array(); });
  says("is not a name", [](Json& j) { j["plans"]["3"][0]["units"] = {7}; });
  says("placement", [](Json& j) { j["plans"]["3"][0].erase("placement"); });
  says("machine", [](Json& j) { j["machine"] = "mine"; });
  says("width", [](Json& j) { j["width"] = 0; });
  says("conditions", [](Json& j) { j["conditions"]["load"] = 3; });
  EXPECT_EQ(refused([](Json& j) { j["more"] = "is passed over"; }), "accepted");
}

}  // namespace
}  // namespace fye
