#include "plan/cores.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

const Processor* core_of(const char* name) { return *find_processor(name, active_isa()); }

Profile profile_of(int threads) {
  Profile profile;
  profile.machine.threads = threads;
  profile.processors = {"cpu.f32"};
  profile.units = {{"conv1", {{"cpu.f32", {3.5, .1, 7}}}}};
  profile.whole["cpu.f32"] = {9, .1, 7};
  return profile;
}

TEST(Cores, HaveTheTimesOfOneThread) {
  Profile profile = profile_of(1);
  Losses losses;
  losses.units = {{"conv1", {{"cpu.f32", .25}}}};
  const Processor* both[] = {core_of("cpu.f32"), core_of("cpu.f32@core0")};
  ASSERT_TRUE(add_cores(both, profile, &losses));
  EXPECT_EQ(profile.processors, (std::vector<std::string>{"cpu.f32", "cpu.f32@core0"}));
  EXPECT_EQ(profile.units[0].on.at("cpu.f32@core0").ms, 3.5);
  EXPECT_EQ(profile.whole.at("cpu.f32@core0").ms, 9);
  EXPECT_EQ(losses.units[0].on.at("cpu.f32@core0"), .25);
  ASSERT_TRUE(add_cores(both, profile, nullptr));
  EXPECT_EQ(profile.processors.size(), 2u) << "once is enough";
}

TEST(Cores, SeveralThreadsSayNothingAboutACore) {
  Profile profile = profile_of(2);
  const Processor* all[] = {core_of("cpu.f32")};
  EXPECT_TRUE(add_cores(all, profile, nullptr));
  const Processor* core[] = {core_of("cpu.f32@core0")};
  const auto refused = add_cores(core, profile, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("--threads 1"), std::string::npos);
}

// What the base processor has no times on, its cores have none on either: the planner says so.
TEST(Cores, UnknownStaysUnknown) {
  Profile profile = profile_of(1);
  const Processor* core[] = {core_of("cpu.int8@core0")};
  ASSERT_TRUE(add_cores(core, profile, nullptr));
  EXPECT_EQ(profile.processors.size(), 1u);
}

}  // namespace
}  // namespace fye
