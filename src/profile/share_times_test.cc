#include "profile/share_times.h"

#include <gtest/gtest.h>

#include "execute/testing_graphs.h"
#include "graph/units.h"

namespace fye {
namespace {

std::array<const Processor*, 2> pair_of(const std::string& a, const std::string& b) {
  const std::string second = available_cores() > 1 ? b + "@core1" : b;
  return {*find_processor(a + "@core0", active_isa()), *find_processor(second, active_isa())};
}

TEST(ShareTimes, EveryUnitHasATimeAtEveryPart) {
  const Graph graph = testing::small_abpn(2, 24);
  const Calib calib = testing::made_up_calib(graph);
  ThreadPool threads(1);
  double last = 0;
  const auto times =
      measure_channels(graph, &calib, pair_of("cpu.f32", "cpu.int8"), 4, 2,
                       {.height = 48, .width = 64, .picture_quant = {1, 0}}, threads, [&](double done) {
                         EXPECT_GE(done, last);
                         last = done;
                       });
  ASSERT_TRUE(times) << times.error().text();
  EXPECT_EQ(times->parts, (std::vector<double>{0, .25, .5, .75, 1}));
  ASSERT_EQ(times->ms.size(), units_of(graph).size());
  for (const auto& unit : times->ms) {
    ASSERT_EQ(unit.size(), 5u);
    for (const double ms : unit) EXPECT_GT(ms, 0);
  }
  EXPECT_EQ(last, 1);
}

TEST(ShareTimes, PatchesOfTwiceTheSideTakeLonger) {
  const Graph graph = testing::small_abpn(2, 24);
  ThreadPool threads(1);
  const std::array<const Processor*, 1> one = {*find_processor("cpu.f32@core0", active_isa())};
  std::vector<double> ms;
  for (const int size : {16, 64}) {
    const auto times = measure_patches(graph, nullptr, one, {.size = size, .halo = 4}, 3,
                                       {.height = 128, .width = 128, .picture_quant = {1, 0}}, threads);
    ASSERT_TRUE(times) << times.error().text();
    ms.push_back((*times)[0]);
  }
  EXPECT_GT(ms[1], ms[0]);
}

TEST(ShareTimes, WaitsAreShortAndOnlyBetweenCores) {
  if (available_cores() < 2) GTEST_SKIP() << "one core";
  const double ms = measure_wait(pair_of("cpu.f32", "cpu.f32"));
  EXPECT_GT(ms, 0);
  EXPECT_LT(ms, 50);
  const std::array<const Processor*, 2> all = {*find_processor("cpu.f32", active_isa()),
                                               *find_processor("cpu.int8", active_isa())};
  EXPECT_EQ(measure_wait(all), 0);
}

}  // namespace
}  // namespace fye
