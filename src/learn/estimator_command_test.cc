#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "image/file.h"
#include "image/testing_pictures.h"
#include "learn/commands.h"
#include "learn/testing_command.h"
#include "learn/testing_crops.h"

namespace fye {
namespace {

using testing::Folder;

testing::CommandOutcome run_estimator(std::vector<std::string> arguments) {
  return testing::run_command(add_estimator_command, "estimator", std::move(arguments));
}

void expect_estimator_refused(const std::vector<std::string>& arguments, int code, const std::string& says) {
  const auto outcome = run_estimator(arguments);
  EXPECT_EQ(outcome.code, code) << outcome.said;
  EXPECT_NE(outcome.said.find(says), std::string::npos) << outcome.said;
}

TEST(EstimatorCommand, RefusesWhatCantBe) {
  const Folder folder;
  const std::string out = folder / "out";
  expect_estimator_refused({}, 1, "--out");
  expect_estimator_refused({"--out", out, "--budget", "soon"}, 1, "soon");
  expect_estimator_refused({"--out", out, "--optimiser", "luck"}, 1, "luck");
  expect_estimator_refused({"--out", out, "--input", "colour"}, 1, "luma and normalised");
  expect_estimator_refused({"--out", out}, 2, "crops.bin");
  expect_estimator_refused({"--out", out, "--data", folder.path()}, 1, "--model");
  expect_estimator_refused({"--out", out, "--data", folder.path(), "--model", folder / "absent.onnx"}, 2,
                           "absent.onnx");
  expect_estimator_refused({"--evaluate", folder / "absent.pt"}, 1, "--crops");
  expect_estimator_refused({"--evaluate", folder / "absent.pt", "--crops", folder / "absent.bin"}, 2,
                           "absent.pt");
  EXPECT_NE(run_estimator({"--out", out, "--threads", "0"}).code, 0);
}

TEST(EstimatorCommand, MakesTrainsGoesOnAndEvaluates) {
  const Folder folder;
  const auto data = folder / "data";
  std::filesystem::create_directory(data);
  for (int i = 0; i < 16; ++i)  // each 16th is held out
    ASSERT_TRUE(
        write_picture(testing::waves(102, 96, uint64_t(i + 1), 8), data / (std::to_string(100 + i) + ".png"))
            .ok());
  const std::string model = std::string(FYE_SOURCE_DIR) + "/models/abpn_x2.onnx", out = folder / "out";
  const std::vector<std::string> call{"--data",  data, "--model",   model, "--out",        out,
                                      "--side",  "96", "--plans",   "8",   "--crop-count", "1",
                                      "--batch", "4",  "--threads", "2",   "--steps"};
  auto first = call, second = call;
  first.push_back("1");
  second.insert(second.end(), {"2", "--resume"});
  auto outcome = run_estimator(first);
  ASSERT_EQ(outcome.code, 0) << outcome.said;
  outcome = run_estimator(second);
  ASSERT_EQ(outcome.code, 0) << outcome.said;
  const auto log = testing::load(folder / "out/estimator.csv");
  EXPECT_NE(log.find("\n1,"), std::string::npos) << log;
  EXPECT_NE(log.find("\n2,"), std::string::npos) << log;
  EXPECT_EQ(
      run_estimator({"--evaluate", folder / "out/estimator.pt", "--crops", folder / "out/crops.bin"}).code,
      0);
  auto other = first;
  other[9] = "9";  // plans: other crops than those that are there
  EXPECT_EQ(run_estimator(other).code, 1);
}

}  // namespace
}  // namespace fye
