// What must hold of any profile, on any machine and under any load. How well profiles predict is a benchmark
// (bench/plan), not a test.
#include "profile/measure.h"

#include <gtest/gtest.h>

#include "execute/testing_graphs.h"
#include "graph/units.h"

namespace fye {
namespace {

const Processor* named(std::string_view name) { return *find_processor(name, active_isa()); }

MeasureOptions quick(int height, int width) {
  return {.height = height, .width = width, .least_pairs = 2, .most_pairs = 3, .seconds = 60};
}

TEST(Measure, AProfileIsComplete) {
  const Graph graph = testing::branched();
  const Calib calib = testing::made_up_calib(graph);
  const Processor* const processors[] = {named("cpu.f32"), named("cpu.int8")};
  ThreadPool pool(1);
  double last = 0;
  MeasureReport report;
  const auto profile = measure_profile(
      graph, &calib, processors, quick(48, 40), pool,
      [&](double share) {
        EXPECT_GE(share, last);
        EXPECT_LE(share, 1);
        last = share;
      },
      &report);
  ASSERT_TRUE(profile) << profile.error().text();
  EXPECT_EQ(last, 1);
  const std::vector<Unit> units = units_of(graph);
  ASSERT_EQ(profile->units.size(), units.size());
  for (size_t u = 0; u < units.size(); ++u) {
    EXPECT_EQ(profile->units[u].unit, units[u].name);
    for (const Processor* p : processors) {
      ASSERT_TRUE(profile->units[u].on.contains(std::string(p->name()))) << units[u].name;
      EXPECT_GE(profile->units[u].on.at(std::string(p->name())).ms, 0);
    }
  }
  EXPECT_EQ(report.measured + report.reused + report.in_place, int(units.size()) * 2);
  EXPECT_EQ(report.in_place, 0);
  // Between f32 and u8 both ways for what crosses, and from and to the host.
  const auto hand = [&](const std::string& tensor, Form from, Form to) {
    return std::any_of(profile->hand_overs.begin(), profile->hand_overs.end(),
                       [&](const HandOver& h) { return h.tensor == tensor && h.from == from && h.to == to; });
  };
  const std::string input = graph.tensors[size_t(graph.inputs[0])].name,
                    output = graph.tensors[size_t(graph.outputs[0])].name,
                    head = graph.tensors[size_t(graph.nodes[0].output)].name;
  EXPECT_TRUE(hand(input, Form::host, Form::f32));
  EXPECT_TRUE(hand(input, Form::host, Form::u8));
  EXPECT_TRUE(hand(head, Form::f32, Form::u8));
  EXPECT_TRUE(hand(head, Form::u8, Form::f32));
  EXPECT_TRUE(hand(output, Form::f32, Form::host));
  for (const HandOver& h : profile->hand_overs) EXPECT_NE(h.from, h.to);
  // The units were stretched so that they add up to the whole.
  for (const Additivity& row : report.additivity) {
    // On a machine that is busy enough a network this small takes no longer than nothing: then there is no factor.
    if (profile->chain.contains(row.processor)) EXPECT_GT(profile->chain.at(row.processor), 0);
    EXPECT_GT(row.whole_ms, 0);
    EXPECT_EQ(row.in_place_ms.size(), units.size());
  }
}

TEST(Measure, WithoutACalibrationInt8HasNoTimes) {
  const Graph graph = testing::small_abpn();
  const Processor* const processors[] = {named("cpu.f32"), named("cpu.int8")};
  ThreadPool pool(1);
  const auto profile = measure_profile(graph, nullptr, processors, quick(32, 32), pool);
  ASSERT_TRUE(profile) << profile.error().text();
  for (const UnitTimes& unit : profile->units) {
    EXPECT_TRUE(unit.on.contains("cpu.f32"));
    EXPECT_FALSE(unit.on.contains("cpu.int8"));
  }
  EXPECT_FALSE(profile->whole.contains("cpu.int8"));
}

TEST(Measure, OutOfTimeMeansInPlace) {
  const Graph graph = testing::small_abpn();
  const Processor* const processors[] = {named("cpu.f32")};
  ThreadPool pool(1);
  MeasureOptions options = quick(32, 32);
  options.seconds = 0;
  MeasureReport report;
  const auto profile = measure_profile(graph, nullptr, processors, options, pool, {}, &report);
  ASSERT_TRUE(profile) << profile.error().text();
  EXPECT_EQ(report.measured, 0);
  EXPECT_GT(report.in_place, 0);
}

TEST(Measure, NothingToProfile) {
  const Graph graph = testing::small_abpn();
  ThreadPool pool(1);
  EXPECT_FALSE(measure_profile(graph, nullptr, {}, quick(32, 32), pool));
  const Processor* const processors[] = {named("cpu.f32")};
  EXPECT_FALSE(measure_profile(Graph{}, nullptr, processors, quick(32, 32), pool));
}

}  // namespace
}  // namespace fye
