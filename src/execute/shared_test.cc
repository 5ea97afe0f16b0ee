#include "execute/shared.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/testing_sanitized.h"
#include "execute/plain.h"
#include "execute/testing_graphs.h"
#include "graph/units.h"

namespace fye {
namespace {

using testing::FloatMap;
using testing::TestPicture;

const Processor* share_on(const std::string& name) { return *find_processor(name, active_isa()); }

// On machines with one core its two names can't be had; then both stand for all threads, which is tested too.
std::string at_core(const std::string& name, int core) {
  return core < available_cores() ? name + "@core" + std::to_string(core) : name;
}

std::vector<float> one_by_one(const Graph& graph, const Calib* calib, const std::string& name,
                              TestPicture& picture) {
  auto executor = Executor::prepare(graph, calib, everywhere(graph, share_on(name)),
                                    {.height = picture.height, .width = picture.width});
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(1);
  EXPECT_TRUE(executor->run(picture.map(), out.map(), pool));
  return out.values;
}

std::vector<float> side_by_side(const Graph& graph, const Calib* calib, const std::vector<Stage>& stages,
                                const std::vector<int>& stage_of, TestPicture& picture) {
  auto executor = SharedExecutor::prepare(graph, calib, stages, stage_of, picture.height, picture.width);
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  if (!executor) return {};
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(2);
  for (int turn = 0; turn < 2; ++turn) {
    std::fill(out.values.begin(), out.values.end(), -1e9f);
    const auto status = executor->run(picture.map(), out.map(), pool);
    EXPECT_TRUE(status) << (status ? "" : status.error().text());
    std::fill(out.values.end() - 64, out.values.end(), 0.f);
  }
  return out.values;
}

double largest_gap(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0, scale = 1e-9;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, double(std::abs(a[i] - b[i])));
    scale = std::max(scale, double(std::abs(b[i])));
  }
  return most / scale;
}

// Each unit's nodes to the stage that `of_unit` says.
std::vector<int> stages_by_unit(const Graph& graph, const std::vector<int>& of_unit) {
  std::vector<int> stage_of(graph.nodes.size());
  const auto units = units_of(graph);
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) stage_of[size_t(node)] = of_unit[u];
  return stage_of;
}

Stage two_shares(Cut cut, const std::string& name, double part) {
  return {cut, {{share_on(at_core(name, 0)), part}, {share_on(at_core(name, 1)), 1 - part}}};
}

std::vector<Graph> graphs(uint32_t seed) {
  return {testing::small_abpn(3, 24, seed), testing::small_abpn(2, 20, seed), testing::branched(seed)};
}

// Rows: bit-equal to one processor in every format, wherever the cuts are and however long the chains.
RC_GTEST_PROP(Shared, RowsAreTheSameBits, ()) {
  const auto all = graphs(*rc::gen::arbitrary<uint32_t>());
  const Graph& graph = all[*rc::gen::inRange<size_t>(0, all.size())];
  const Calib calib = testing::made_up_calib(graph);
  const std::string name = *rc::gen::element<std::string>("cpu.f32", "cpu.int8", "cpu.int8r16");
  TestPicture picture(*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40), 3);
  std::vector<Stage> stages;
  std::vector<int> of_unit;
  for (size_t u = 0; u < units_of(graph).size(); ++u) {
    if (stages.empty() || *rc::gen::inRange(0, 3) == 0) {
      if (name != "cpu.f32" && available_cores() < 2)
        stages.push_back({Cut::none, {{share_on(name), 1}}});
      else if (available_cores() < 2)
        stages.push_back({Cut::none, {{share_on("cpu.f32@core0"), 1}}});
      else
        stages.push_back(two_shares(Cut::rows, name, *rc::gen::inRange(0, 11) / 10.));
    }
    of_unit.push_back(int(stages.size()) - 1);
  }
  const auto expected = one_by_one(graph, &calib, name, picture);
  const auto got = side_by_side(graph, &calib, stages, stages_by_unit(graph, of_unit), picture);
  RC_ASSERT(got == expected);
}

// Channels in one format: int8 exactly, float up to the order of sums.
RC_GTEST_PROP(Shared, ChannelsOfOneFormatAreTheSameNetwork, ()) {
  const auto all = graphs(*rc::gen::arbitrary<uint32_t>());
  const Graph& graph = all[*rc::gen::inRange<size_t>(0, all.size())];
  const Calib calib = testing::made_up_calib(graph);
  const bool whole = *rc::gen::arbitrary<bool>();
  const std::string name = whole ? "cpu.int8" : "cpu.f32";
  TestPicture picture(*rc::gen::inRange(1, 40), *rc::gen::inRange(1, 40), 3);
  std::vector<Stage> stages;
  std::vector<int> of_unit;
  for (size_t u = 0; u < units_of(graph).size(); ++u) {
    stages.push_back(available_cores() < 2 ? Stage{Cut::none, {{share_on(name), 1}}}
                                           : two_shares(Cut::channels, name, *rc::gen::inRange(0, 9) / 8.));
    of_unit.push_back(int(u));
  }
  const auto expected = one_by_one(graph, &calib, name, picture);
  const auto got = side_by_side(graph, &calib, stages, stages_by_unit(graph, of_unit), picture);
  if (whole)
    RC_ASSERT(got == expected);
  else
    RC_ASSERT(largest_gap(got, expected) <= 1e-4);
}

// Each convolution's channels half in float, half in int8: between the two networks, and channel c of a
// one-layer network is what its own processor gives.
TEST(Shared, MixedChannelsAreEachProcessorsOwn) {
  testing::Builder b(3, 7);
  const Graph graph = b.take(b.conv(0, 32, 3));
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(21, 18, 3);
  const auto floats = one_by_one(graph, &calib, "cpu.f32", picture),
             whole = one_by_one(graph, &calib, "cpu.int8", picture);
  for (const bool float_first : {true, false}) {
    const Share a{share_on(at_core("cpu.f32", 0)), .25}, z{share_on(at_core("cpu.int8", 1)), .25};
    Stage stage{Cut::channels, {a, z}};
    stage.shares[float_first ? 1 : 0].part = .75;
    if (!float_first) std::swap(stage.shares[0], stage.shares[1]);
    const auto got = side_by_side(graph, &calib, {stage}, std::vector<int>(graph.nodes.size(), 0), picture);
    ASSERT_EQ(got.size(), floats.size());
    const size_t cut = size_t(stage.shares[0].part * 32);
    for (size_t i = 0; i < size_t(21 * 18 * 32); ++i) {
      const bool first = i % 32 < cut;
      if (first != float_first)
        EXPECT_EQ(got[i], whole[i]) << i;
      else if (float_first)
        EXPECT_NEAR(got[i], floats[i], 1e-3) << i;
      else  // stored as int8: half a step off at most, but for what saturates
        EXPECT_LE(std::abs(got[i] - floats[i]),
                  std::abs(whole[i] - floats[i]) + calib.tensors.at("conv1_out").scale)
            << i;
    }
  }
}

TEST(Shared, OneProcessorAfterTheOtherEqualsThePlainExecutor) {
  const Graph graph = testing::branched();
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(30, 34, 3);
  const size_t units = units_of(graph).size();
  std::vector<int> of_unit;
  for (size_t u = 0; u < units; ++u) of_unit.push_back(int(u % 2));
  const auto stage_of = stages_by_unit(graph, of_unit);
  const std::vector<Stage> stages = {{Cut::none, {{share_on(at_core("cpu.f32", 0)), 1}}},
                                     {Cut::none, {{share_on(at_core("cpu.int8", 1)), 1}}}};
  std::vector<const Processor*> placement;
  for (const int stage : stage_of) placement.push_back(share_on(stage ? "cpu.int8" : "cpu.f32"));
  auto executor = Executor::prepare(graph, &calib, placement, {.height = 30, .width = 34});
  ASSERT_TRUE(executor);
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(1);
  ASSERT_TRUE(executor->run(picture.map(), out.map(), pool));
  EXPECT_EQ(side_by_side(graph, &calib, stages, stage_of, picture), out.values);
}

TEST(Shared, SharesOnAllThreadsTakeTurns) {
  const Graph graph = testing::small_abpn(2, 24);
  TestPicture picture(30, 34, 3);
  // The same processor twice is refused, so the turns are float's and, where there is one, a core's.
  const Stage stage{Cut::rows, {{share_on("cpu.f32"), .5}, {share_on("cpu.f32@core0"), .5}}};
  EXPECT_EQ(side_by_side(graph, nullptr, {stage}, std::vector<int>(graph.nodes.size(), 0), picture),
            one_by_one(graph, nullptr, "cpu.f32", picture));
}

TEST(Shared, WrongStagesAreRefused) {
  const Graph graph = testing::small_abpn(2);
  const Calib calib = testing::made_up_calib(graph);
  const std::vector<int> stage_of(graph.nodes.size(), 0);
  const auto refused = [&](const Stage& stage) {
    auto made = SharedExecutor::prepare(graph, &calib, std::vector<Stage>{stage}, stage_of, 16, 16);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().text();
  };
  const Processor* f32 = share_on("cpu.f32@core0");
  const Processor* int8 = share_on("cpu.int8@core0");
  EXPECT_NE(refused({Cut::rows, {{f32, .5}, {int8, .5}}}).find("two number formats"), std::string::npos);
  EXPECT_NE(refused({Cut::rows, {{f32, .7}}}).find("add up to 0.7"), std::string::npos);
  EXPECT_NE(refused({Cut::rows, {{f32, -1}, {int8, 2}}}).find("-1"), std::string::npos);
  EXPECT_NE(refused({Cut::rows, {{f32, NAN}}}).find("nan"), std::string::npos);
  EXPECT_NE(refused({Cut::rows, {{f32, .5}, {f32, .5}}}).find("twice"), std::string::npos);
  EXPECT_NE(refused({Cut::none, {{f32, .5}, {int8, .5}}}).find("not cut"), std::string::npos);
  EXPECT_NE(refused({Cut::channels, {{share_on("cpu.int8r16@core0"), .5}, {f32, .5}}}).find("16-bit"),
            std::string::npos);
  EXPECT_NE(refused({Cut::none, {}}).find("nobody"), std::string::npos);
}

TEST(Shared, ExplainSaysWhoDoesWhat) {
  const Graph graph = testing::small_abpn(3, 24);
  std::vector<Stage> stages = {{Cut::rows, {{share_on("cpu.f32@core0"), 1}}}};
  auto executor =
      SharedExecutor::prepare(graph, nullptr, stages, std::vector<int>(graph.nodes.size(), 0), 20, 20);
  ASSERT_TRUE(executor);
  EXPECT_NE(executor->explain()[1].find("cpu.f32@core0 rows 0-60 conv"), std::string::npos)
      << executor->explain()[1];
}

// Everybody with a part gets something, parts are kept to a granule, nothing is lost.
RC_GTEST_PROP(Shared, DealingOutLosesNothing, ()) {
  const int granule = *rc::gen::inRange(1, 9), total = *rc::gen::inRange(1, 400);
  const double part = *rc::gen::inRange(0, 101) / 100.;
  const Share shares[] = {{nullptr, part}, {nullptr, 1 - part}};
  const auto ends = deal_out(total, granule, shares);
  RC_ASSERT(ends.size() == 2u && ends[1] == total && ends[0] >= 0 && ends[0] <= total);
  if (part == 0) RC_ASSERT(ends[0] == 0);
  if (part == 1) RC_ASSERT(ends[0] == total);
  if (total >= 2 * granule && part > 0 && part < 1) RC_ASSERT(ends[0] >= granule && ends[0] < total);
  RC_ASSERT(std::abs(ends[0] - part * total) < 2 * granule);
}

}  // namespace
}  // namespace fye
