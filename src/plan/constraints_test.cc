#include "plan/constraints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace fye {
namespace {

using ::testing::HasSubstr;

PlanProblem problem() {
  PlanProblem p;
  p.processors = {"cpu.f32", "cpu.int8"};
  for (const char* name : {"head", "block0.conv1", "block0.conv2", "tail=x"})
    p.units.push_back({name, {2, 1}, {0, 1}, {}});
  p.units[2].ms[1] = std::numeric_limits<double>::infinity();
  return p;
}

std::vector<std::vector<bool>> allowed(const std::vector<std::string>& on,
                                       const std::vector<std::string>& keep) {
  const auto result = constraints_of(problem(), on, keep, 3);
  EXPECT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->max_switches, 3);
  return result->allowed;
}

const std::vector<bool> kAny = {true, true}, kFloat = {true, false}, kBytes = {false, true};

TEST(Constraints, NoneMeansAnything) { EXPECT_TRUE(allowed({}, {}).empty()); }

TEST(Constraints, UnitsOnProcessors) {
  EXPECT_EQ(allowed({"head=cpu.int8"}, {}), (std::vector{kBytes, kAny, kAny, kAny}));
  EXPECT_EQ(allowed({"tail=x=cpu.f32"}, {}), (std::vector{kAny, kAny, kAny, kFloat}));
}

TEST(Constraints, GlobsKeepFloat) {
  EXPECT_EQ(allowed({}, {"block*"}), (std::vector{kAny, kFloat, kFloat, kAny}));
  EXPECT_EQ(allowed({"head=cpu.int8"}, {"*conv[2-9]", "ta?l*"}), (std::vector{kBytes, kAny, kFloat, kFloat}));
  EXPECT_EQ(allowed({"head=cpu.f32"}, {"head"}), (std::vector{kFloat, kAny, kAny, kAny}))
      << "no contradiction";
}

void expect_refused(const std::vector<std::string>& on, const std::vector<std::string>& keep,
                    const std::string& says) {
  const auto result = constraints_of(problem(), on, keep, -1);
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().code, ErrorCode::usage);
  EXPECT_THAT(result.error().text(), HasSubstr(says));
}

TEST(Constraints, RefusesWhatIsNotThere) {
  expect_refused({"head"}, {}, "--on head: can't be read");
  expect_refused({"=cpu.f32"}, {}, "can't be read");
  expect_refused({"head="}, {}, "can't be read");
  expect_refused({"neck=cpu.f32"}, {}, "no unit \"neck\"");
  expect_refused({"neck=cpu.f32"}, {}, "its units are: head, block0.conv1");
  expect_refused({"head=gpu"}, {}, "no times on gpu");
  expect_refused({"head=gpu"}, {}, "there are: cpu.f32, cpu.int8");
  expect_refused({"block0.conv2=cpu.int8"}, {}, "cpu.int8 can't run this unit");
  expect_refused({}, {"body*"}, "--keep-f32 body*: no unit has such a name");
  expect_refused({"head=cpu.int8"}, {"h*"}, "--on head=cpu.int8 and --keep-f32 h* contradict");
  expect_refused({"head=cpu.int8", "head=cpu.f32"}, {}, "contradict");
}

}  // namespace
}  // namespace fye
