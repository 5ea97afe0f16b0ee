#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "plan/plan.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("fye-plan-{}", getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

Plan example() {
  return {"abc",
          {{{"conv1", "conv2"}, "cpu.f32", "keeps the first layers exact"}, {{"conv3"}, "cpu.int8", ""}}};
}

Result<Plan> read_changed(const std::function<void(Json&)>& change, const std::string& sha = "abc") {
  const Folder folder;
  EXPECT_TRUE(write_plan(folder / "plan.json", example()));
  auto json = read_json(folder / "plan.json");
  EXPECT_TRUE(json);
  change(*json);
  EXPECT_TRUE(write_json(folder / "plan.json", *json));
  return read_plan(folder / "plan.json", sha);
}

void expect_refused(const std::function<void(Json&)>& change, const std::string& says) {
  const auto result = read_changed(change);
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().what, HasSubstr("plan.json"));
  EXPECT_THAT(result.error().what, HasSubstr(says));
}

bool equal(const Plan& a, const Plan& b) {
  if (a.graph_sha256 != b.graph_sha256 || a.steps.size() != b.steps.size()) return false;
  for (size_t i = 0; i < a.steps.size(); ++i)
    if (a.steps[i].units != b.steps[i].units || a.steps[i].processor != b.steps[i].processor ||
        a.steps[i].reason != b.steps[i].reason)
      return false;
  return true;
}

TEST(PlanFile, RoundTrip) {
  const auto result = read_changed([](Json&) {});
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_TRUE(equal(*result, example()));
}

TEST(PlanFile, WrittenByHand) {
  const Folder folder;
  ASSERT_TRUE(write_file(folder / "plan.json", R"({"version": 1, "graph": "x",
      "steps": [{"placement": "cpu.int8", "units": ["a"], "note": "fields that nobody knows are passed over"}]})"));
  const auto plan = read_plan(folder / "plan.json", "");
  ASSERT_TRUE(plan) << plan.error().text();
  EXPECT_EQ(plan->steps[0].processor, "cpu.int8");
  EXPECT_EQ(plan->steps[0].reason, "");
}

RC_GTEST_PROP(PlanFile, RoundTripOfAnyNames, ()) {
  Plan plan{"sha", {}};
  const auto printable =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '\x7f')));
  const int steps = *rc::gen::inRange(1, 5);
  for (int s = 0; s < steps; ++s) {
    PlanStep step{.units = {}, .processor = *printable, .reason = *printable};
    const int units = *rc::gen::inRange(1, 4);
    for (int u = 0; u < units; ++u) step.units.push_back(fmt::format("{}/{}/{}", s, u, *printable));
    plan.steps.push_back(step);
  }
  const Folder folder;
  RC_ASSERT(write_plan(folder / "plan.json", plan).ok());
  const auto back = read_plan(folder / "plan.json", "sha");
  RC_ASSERT(back.ok());
  RC_ASSERT(equal(*back, plan));
}

Plan planned() {
  Plan plan = example();
  plan.machine = MachineId{"A CPU", "avx2", "1 g++", 2};
  plan.width = 640;
  plan.height = 360;
  plan.ms = 12.5;
  plan.msef = 0;
  plan.steps[0].reasons = {{"conv2", "fast enough"}};
  return plan;
}

TEST(PlanFile, RoundTripOfWhatAPlannerKnows) {
  const Folder folder;
  ASSERT_TRUE(write_plan(folder / "plan.json", planned()));
  const auto back = read_plan(folder / "plan.json", "abc");
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(equal(*back, planned()));
  EXPECT_EQ(back->machine, planned().machine);
  EXPECT_EQ(back->width, 640);
  EXPECT_EQ(back->height, 360);
  EXPECT_EQ(back->ms, 12.5);
  EXPECT_EQ(back->msef, 0);
  EXPECT_EQ(back->steps[0].reasons, planned().steps[0].reasons);
}

TEST(PlanFile, RefusesImpossiblePredictions) {
  expect_refused([](Json& j) { j["predicted_ms"] = -1; }, "predicted_ms: -1 is not between");
  expect_refused([](Json& j) { j["predicted_ms"] = "12"; }, "predicted_ms");
  expect_refused([](Json& j) { j["predicted_msef"] = 1e12; }, "predicted_msef");
  expect_refused([](Json& j) { j["width"] = 0; }, "width: 0");
  expect_refused([](Json& j) { j["height"] = -4; }, "height");
  expect_refused([](Json& j) { j["machine"] = "mine"; }, "machine: is not an object");
  expect_refused([](Json& j) { j["machine"] = Json{{"cpu", "A"}}; }, "machine.isa: is missing");
  expect_refused([](Json& j) { j["steps"][0]["reasons"] = "good"; }, "\"reasons\" is not an object");
  expect_refused([](Json& j) { j["steps"][0]["reasons"] = Json{{"conv1", 3}}; }, "conv1\" is not a text");
  expect_refused(
      [](Json& j) {
        j["steps"][0]["reasons"] = Json{{"conv3", "x"}};
      },
      "which is not in this step");
}

TEST(PlanFile, SaysWhichMachineItWasMadeFor) {
  const MachineId here{"A CPU", "avx2", "1 g++", 2};
  EXPECT_EQ(difference(here, here), "");
  MachineId other = here;
  other.cpu = "B CPU";
  other.threads = 4;
  EXPECT_EQ(difference(other, here), "another CPU (B CPU, not A CPU), another number of threads (4, not 2)");
  other = here;
  other.build = "2 g++";
  other.isa = "amx";
  EXPECT_EQ(difference(other, here),
            "another instruction set (amx, not avx2), another build (2 g++, not 1 g++)");
}

TEST(PlanFile, RefusesVersionAndGraph) {
  expect_refused([](Json& j) { j["version"] = 2; }, "version");
  expect_refused([](Json& j) { j.erase("version"); }, "version");
  expect_refused([](Json& j) { j["graph"] = "def"; }, "another model");
  expect_refused([](Json& j) { j["graph"] = nullptr; }, "graph");
  expect_refused([](Json& j) { j.erase("graph"); }, "graph");
}

Json shares(double first, double second) {
  return Json::array({{{"processor", "cpu.f32@core0"}, {"share", first}},
                      {{"processor", "cpu.int8@core1"}, {"share", second}}});
}

TEST(PlanFile, SharedStepsComeBackAsTheyWere) {
  const Folder folder;
  for (const auto by : {Sharing::By::rows, Sharing::By::channels, Sharing::By::patches}) {
    Plan plan = example();
    Sharing sharing{.by = by, .shares = {{"cpu.f32@core0", .3}, {"cpu.int8@core1", .7}}};
    if (by == Sharing::By::patches) sharing.patches = {48, 5}, sharing.shares[0].above = 7.25;
    plan.steps[0].processor.clear();
    plan.steps[0].sharing = sharing;
    ASSERT_TRUE(write_plan(folder / "plan.json", plan));
    const auto back = read_plan(folder / "plan.json", "");
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(placement_text(back->steps[0]), placement_text(plan.steps[0]));
    ASSERT_TRUE(back->steps[0].sharing);
    EXPECT_EQ(back->steps[0].sharing->by, by);
    EXPECT_EQ(back->steps[0].sharing->shares[1].part, .7);
    EXPECT_EQ(back->steps[0].sharing->patches.size, sharing.patches.size);
    EXPECT_EQ(back->steps[0].sharing->patches.halo, sharing.patches.halo);
    EXPECT_EQ(back->steps[0].sharing->shares[0].above, sharing.shares[0].above);
    EXPECT_EQ(back->steps[1].processor, plan.steps[1].processor);
  }
}

TEST(PlanFile, RefusesBadSharing) {
  const auto placed = [](Json placement) {
    return [placement](Json& j) { j["steps"][0]["placement"] = placement; };
  };
  expect_refused(placed({{"rows", shares(.5, .5)}, {"channels", shares(.5, .5)}}), "by rows and by channels");
  expect_refused(placed({{"layers", shares(.5, .5)}}), "rows, channels or patches");
  expect_refused(placed({{"rows", Json::array()}}), "1 to 64 shares");
  expect_refused(placed({{"rows", "cpu.f32"}}), "1 to 64 shares");
  expect_refused(placed({{"rows", Json::array({"cpu.f32"})}}), "rows 1");
  expect_refused(placed({{"channels", shares(.5, -1)}}), "channels 2");
  expect_refused(placed({{"channels", shares(2, .5)}}), "channels 1");
  expect_refused(placed({{"patches", shares(.5, .5)}}), "size");
  expect_refused(placed({{"patches", shares(.5, .5)}, {"size", 4}, {"halo", 8}}), "size");
  expect_refused(placed({{"patches", shares(.5, .5)}, {"size", 40}, {"halo", 1000}}), "halo");
  Json last = shares(.5, .5);
  last[1]["above"] = 3;
  expect_refused(placed({{"patches", last}, {"size", 40}, {"halo", 8}}), "what is left");
}

TEST(PlanFile, RefusesBadSteps) {
  expect_refused([](Json& j) { j.erase("steps"); }, "steps");
  expect_refused([](Json& j) { j["steps"] = Json::array(); }, "steps");
  expect_refused([](Json& j) { j["steps"] = "cpu.int8"; }, "steps");
  expect_refused([](Json& j) { j["steps"][1] = 4; }, "step 2");
  expect_refused([](Json& j) { j["steps"][1].erase("units"); }, "step 2: \"units\"");
  expect_refused([](Json& j) { j["steps"][1]["units"] = "conv3"; }, "units");
  expect_refused([](Json& j) { j["steps"][1]["units"] = Json::array(); }, "units");
  expect_refused([](Json& j) { j["steps"][1]["units"] = Json::array({3}); }, "3 in \"units\"");
  expect_refused([](Json& j) { j["steps"][1]["units"] = Json::array({"conv1"}); },
                 "\"conv1\" is placed twice");
  expect_refused([](Json& j) { j["steps"][0]["units"] = Json::array({"a", "a"}); }, "\"a\" is placed twice");
  expect_refused([](Json& j) { j["steps"][0].erase("placement"); }, "step 1: \"placement\" is missing");
  expect_refused([](Json& j) { j["steps"][0]["placement"] = ""; }, "placement");
  expect_refused([](Json& j) { j["steps"][0]["placement"] = 8; }, "placement");
  expect_refused([](Json& j) { j["steps"][0]["placement"] = Json::object(); }, "placement");
  expect_refused([](Json& j) { j["steps"][0]["reason"] = 8; }, "reason");
}

TEST(PlanFile, RefusesWhatIsNoPlan) {
  const Folder folder;
  EXPECT_FALSE(read_plan(folder / "absent.json", ""));
  for (const char* text : {"", "{", "[]", "3", "null", "\"plan\"", "{}"}) {
    ASSERT_TRUE(write_file(folder / "bad.json", text));
    const auto result = read_plan(folder / "bad.json", "");
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().what, HasSubstr("bad.json"));
  }
}

}  // namespace
}  // namespace fye
