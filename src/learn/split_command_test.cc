#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/json.h"
#include "export/onnx_export.h"
#include "graph/zoo.h"
#include "image/file.h"
#include "image/testing_pictures.h"
#include "import/onnx_import.h"
#include "learn/commands.h"
#include "learn/testing_command.h"
#include "learn/testing_crops.h"
#include "learn/testing_split.h"
#include "plan/book.h"
#include "quant/calib_file.h"

namespace fye {
namespace {

using testing::Folder;
using ::testing::HasSubstr;

testing::CommandOutcome run_split(std::vector<std::string> arguments, bool stopped = false) {
  return testing::run_command(add_split_command, "split", std::move(arguments), stopped);
}

// ABPN x2 that ships, 16 photographs, and a profile with times that are easy to add up.
class SplitCommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = std::string(FYE_SOURCE_DIR) + "/models/abpn_x2.onnx";
    const auto imported = import_onnx(model_);
    ASSERT_TRUE(imported);
    graph_ = imported->graph;
    data_ = folder_ / "data";
    std::filesystem::create_directory(data_);
    for (int i = 0; i < 16; ++i)  // each 16th is held out
      ASSERT_TRUE(write_picture(testing::waves(100, 96, uint64_t(i + 1), 8),
                                data_ / (std::to_string(100 + i) + ".png")));
    ASSERT_TRUE(write_profile(folder_ / "profile.json", profile()));
  }

  Profile profile() const {
    Profile p{.graph_sha256 = graph_.sha256,
              .machine = {"test", "avx2", "0", 1},
              .width = 64,
              .height = 64,
              .executor = "bands"};
    p.processors = {"cpu.f32", "cpu.int8"};
    for (const auto& unit : units_of(graph_))
      p.units.push_back({unit.name, {{"cpu.f32", {4, 0.1, 9}}, {"cpu.int8", {1, 0.1, 9}}}});
    for (const auto& tensor : graph_.tensors)
      for (const Form from : {Form::f32, Form::u8, Form::host})
        for (const Form to : {Form::f32, Form::u8, Form::host})
          if (from != to) p.hand_overs.push_back({tensor.name, from, to, {0.125, 0, 9}});
    return p;
  }

  // Few, small steps: what is tested is the way around them.
  std::vector<std::string> call(std::vector<std::string> more) const {
    std::vector<std::string> all{model_,    "--profile", folder_ / "profile.json",
                                 "--data",  data_,       "--out",
                                 book(),    "--crop",    "32",
                                 "--crops", "8",         "--batch",
                                 "2",       "--steps",   "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::filesystem::path book() const { return folder_ / "book.json"; }

  void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& says) const {
    const auto outcome = run_split(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.said;
    EXPECT_THAT(outcome.said, HasSubstr(says));
    EXPECT_FALSE(std::filesystem::exists(book()));
  }

  Folder folder_;
  std::string model_;
  Graph graph_;
  std::filesystem::path data_;
};

TEST_F(SplitCommandTest, WritesABookThatHoldsItsDeadlines) {
  const auto outcome = run_split(call({"--deadline", "15ms", "--deadline", "0.02s"}));
  ASSERT_EQ(outcome.code, 0) << outcome.said;
  const auto read = read_book(book(), graph_.sha256);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->strategy, "fye");
  EXPECT_EQ(read->units.size(), 7u);
  ASSERT_FALSE(read->entries.empty());
  EXPECT_LE(read->entries.front().ms, 15);
  EXPECT_LE(read->entries.back().ms, 20);
  EXPECT_TRUE(read->entries.front().measured_msef);
  EXPECT_THAT(outcome.printed, HasSubstr("15.000 ms"));
}

TEST_F(SplitCommandTest, ComparesWithAnotherBook) {
  Book other{.graph_sha256 = graph_.sha256,
             .machine = profile().machine,
             .width = 64,
             .height = 64,
             .strategy = "exact",
             .units = {},
             .entries = {}};
  for (const auto& unit : units_of(graph_)) other.units.push_back(unit.name);
  other.entries.push_back({std::vector<std::string>(7, "cpu.int8"), 7.25, 2, {}, {}, {}});
  other.entries.push_back({std::vector<std::string>(7, "cpu.f32"), 28.25, 0, {}, {}, {}});
  ASSERT_TRUE(write_book(folder_ / "exact.json", other));
  const auto outcome = run_split(call({"--deadline", "30ms", "--percept", "none", "--against",
                                       folder_ / "exact.json", "--held-out", "2", "--json"}));
  ASSERT_EQ(outcome.code, 0) << outcome.said;
  const auto json = Json::parse(outcome.printed, nullptr, false);
  ASSERT_TRUE(json.is_array()) << outcome.printed;
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["strategy"], "fye");
  EXPECT_TRUE(json[0].contains("seconds"));
  EXPECT_EQ(json[1]["strategy"], "exact");
  EXPECT_EQ(json[1]["msef"], 0.0);
  for (const char* field : {"ms", "psnr_y", "ssim_y", "piqe"}) EXPECT_TRUE(json[1].contains(field)) << field;
  EXPECT_EQ(json[1]["plan"]["conv1"], "cpu.f32");
}

TEST_F(SplitCommandTest, ImpossibleDeadlinesGetTheNearestPlan) {
  const auto outcome = run_split(call({"--deadline", "3ms"}));
  EXPECT_EQ(outcome.code, 4) << outcome.said;
  EXPECT_THAT(outcome.said, HasSubstr("7.250 ms, 4.250 ms more: cpu.int8 x 7"));
  const auto read = read_book(book(), graph_.sha256);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries.front().processor, std::vector<std::string>(7, "cpu.int8"));
}

TEST_F(SplitCommandTest, StoppedBeforeAnythingWritesNothing) {
  const auto outcome = run_split(call({"--deadline", "15ms"}), true);
  EXPECT_EQ(outcome.code, 130);
  EXPECT_FALSE(std::filesystem::exists(book()));
}

TEST_F(SplitCommandTest, RefusesWhatCantBe) {
  for (const char* deadline : {"0", "-3ms", "nan", "1e12", "soon", "40 min", ""})
    expect_refused(call({"--deadline", deadline}), 1, "--deadline");
  expect_refused(call({"--deadline", "15ms", "--percept", "beauty"}), 1, "beauty");
  expect_refused(call({"--deadline", "15ms", "--budget", "soon"}), 1, "soon");
  expect_refused(call({"--deadline", "15ms", "--estimator", folder_ / "absent.pt"}), 2, "absent.pt");
  expect_refused(call({"--deadline", "15ms", "--losses", folder_ / "absent.json"}), 2, "absent.json");
  expect_refused(call({"--deadline", "15ms", "--against", folder_ / "absent.json"}), 2, "absent.json");
  expect_refused(call({"--deadline", "15ms", "--processors", "cpu.int8,cpu.f32"}), 1, "cpu.f32");
  expect_refused(call({"--deadline", "15ms", "--processors", "cpu.f32,cpu.int4"}), 2, "cpu.int4");
  expect_refused(call({"--deadline", "15ms", "--processors", "cpu.f32,cpu.int8,cpu.int8"}), 1, "twice");
  auto arguments = call({"--deadline", "15ms"});
  arguments[8] = "64";  // --crop
  expect_refused(arguments, 2, "64 x 64");
  arguments[8] = "24";
  expect_refused(arguments, 1, "48 pixels");
  arguments[8] = "2000";
  EXPECT_NE(run_split(arguments).code, 0);
  expect_refused(call({"--deadline", "15ms", "--threads", "4"}), 1, "threads");
  EXPECT_NE(run_split({model_, "--profile", folder_ / "profile.json", "--data", data_, "--out", book()}).code,
            0);
}

TEST_F(SplitCommandTest, RefusesFoldersAndFilesOfOtherThings) {
  const auto empty = folder_ / "empty";
  std::filesystem::create_directory(empty);
  auto arguments = call({"--deadline", "15ms"});
  arguments[4] = empty;
  expect_refused(arguments, 2, "0 pictures");
  arguments[4] = folder_ / "absent";
  expect_refused(arguments, 2, "absent");

  Profile other = profile();
  other.graph_sha256 = std::string(64, '0');
  ASSERT_TRUE(write_profile(folder_ / "other.json", other));
  arguments = call({"--deadline", "15ms"});
  arguments[2] = folder_ / "other.json";
  expect_refused(arguments, 2, "other.json");
  arguments[2] = folder_ / "absent.json";
  expect_refused(arguments, 2, "absent.json");

  arguments = call({"--deadline", "15ms"});
  arguments[0] = folder_ / "absent.onnx";
  expect_refused(arguments, 2, "absent.onnx");
  // A network for luma.
  const auto srcnn_file = folder_ / "srcnn.onnx";
  const auto bytes = export_onnx(srcnn(2, random_weights(1)));
  ASSERT_TRUE(bytes);
  testing::store(srcnn_file, *bytes);
  arguments[0] = srcnn_file;
  expect_refused(arguments, 2, "RGB");
}

}  // namespace
}  // namespace fye
