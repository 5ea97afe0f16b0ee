#include "execute/calibrate_grids.h"

#include <gtest/gtest.h>

#include "execute/testing_graphs.h"

namespace fye {
namespace {

using testing::Builder;

constexpr auto kHonest = CalibrationMethod::honest;
constexpr auto kNaive = CalibrationMethod::naive;
constexpr Quant kPicture{1, 0};

// Each tensor spread evenly over [lo, hi], the default for those that the list leaves out.
std::vector<RangeObserver> spread(const Graph& graph,
                                  std::map<TensorId, std::pair<float, float>> ranges = {}) {
  std::vector<RangeObserver> seen;
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    const auto [lo, hi] = ranges.contains(TensorId(t)) ? ranges.at(TensorId(t)) : std::pair{-30.0f, 60.0f};
    seen.emplace_back();
    for (int i = 0; i <= 3000; ++i) seen.back().add(std::vector<float>{lo + (hi - lo) * float(i) / 3000});
  }
  return seen;
}

std::string name(const Graph& graph, TensorId tensor) { return graph.tensors[size_t(tensor)].name; }

TEST(SourcesOfBytes, FollowsChainsOfMovedBytes) {
  Builder b(4, 1);
  const TensorId conv = b.conv(0, 8, 3), shuffled = b.shuffle(conv, 2), enlarged = b.nearest(shuffled, 2);
  const Graph graph = b.take(b.conv(enlarged, 3, 3));
  const auto source = sources_of_bytes(graph);
  const auto of = [&](TensorId node_output) { return name(graph, source[size_t(node_output)]); };
  for (const Node& node : graph.nodes) {
    const std::string expected =
        node.as<Conv>() ? name(graph, node.output) : name(graph, graph.nodes[0].output);
    EXPECT_EQ(of(node.output), expected) << node.name;
  }
  EXPECT_EQ(source[size_t(graph.inputs[0])], graph.inputs[0]);
}

TEST(ChooseGrids, EndsOfAbpnAreThePicture) {
  const Graph graph = testing::small_abpn();
  const auto grids = choose_grids(graph, spread(graph), kHonest, kPicture, kPicture);
  EXPECT_EQ(grids.size(), graph.tensors.size());
  EXPECT_EQ(grids.at(name(graph, graph.inputs[0])), kPicture);
  EXPECT_EQ(grids.at(name(graph, graph.outputs[0])), kPicture);
  const Node& last = graph.nodes.back();
  EXPECT_EQ(grids.at(name(graph, last.inputs[0])), kPicture) << "the shuffle only moves bytes";
  EXPECT_FALSE(grids.at(name(graph, graph.nodes[0].output)) == kPicture);
}

TEST(ChooseGrids, WithoutAPictureTheOutputIsSearched) {
  const Graph graph = testing::small_abpn();
  const auto grids = choose_grids(graph, spread(graph), kHonest, kPicture, std::nullopt);
  EXPECT_FALSE(grids.at(name(graph, graph.outputs[0])) == kPicture);
  EXPECT_EQ(grids.at(name(graph, graph.outputs[0])), grids.at(name(graph, graph.nodes.back().inputs[0])));
}

TEST(ChooseGrids, NaiveIsMinimumToMaximum) {
  const Graph graph = testing::small_abpn();
  const auto grids = choose_grids(graph, spread(graph), kNaive, kPicture, kPicture);
  for (const Node& node : graph.nodes)
    EXPECT_EQ(grids.at(name(graph, node.output)), quant_for_range(-30, 60)) << node.name;
  EXPECT_EQ(grids.at(name(graph, graph.inputs[0])), kPicture);
}

// conv -> add -> clip: the clip can't be fused, so that the sum before it is a tensor.
Graph clip_after_add(float lo, float hi, bool read_twice) {
  Builder b(3, 1);
  const TensorId sum = b.add(b.nearest(b.conv(0, 3, 3), 2), b.nearest(0, 2));
  const TensorId out = b.clip(sum, lo, hi);
  return b.take(read_twice ? b.add(out, sum) : out);
}

TEST(ChooseGrids, AClipThatOnlySaturatesIsPassedThrough) {
  const Graph graph = clip_after_add(0, 255, false);
  const Node& clip = graph.nodes.back();
  ASSERT_TRUE(clip.as<Elementwise>());
  EXPECT_EQ(choose_grids(graph, spread(graph), kHonest, kPicture, kPicture).at(name(graph, clip.inputs[0])),
            kPicture);
}

TEST(ChooseGrids, ANarrowerClipIsNot) {
  const Graph graph = clip_after_add(16, 235, false);
  const Node& clip = graph.nodes.back();
  const auto grids = choose_grids(graph, spread(graph), kHonest, kPicture, kPicture);
  EXPECT_EQ(grids.at(name(graph, clip.output)), kPicture);
  EXPECT_FALSE(grids.at(name(graph, clip.inputs[0])) == kPicture);
}

TEST(ChooseGrids, NorOneWhoseInputIsReadElsewhere) {
  const Graph graph = clip_after_add(0, 255, true);
  const auto grids = choose_grids(graph, spread(graph), kHonest, kPicture, kPicture);
  for (const Node& node : graph.nodes) {
    if (node.as<Elementwise>()) {
      EXPECT_FALSE(grids.at(name(graph, node.inputs[0])) == kPicture);
    }
  }
}

struct Joined {
  Graph graph;
  TensorId a, b, both;
};
Joined joined() {
  Builder builder(3, 1);
  const TensorId a = builder.conv(0, 4, 3), b = builder.conv(0, 4, 3);
  Joined j{builder.take(builder.conv(builder.concat(a, b), 3, 3)), kNone, kNone, kNone};
  for (const Node& node : j.graph.nodes)
    if (node.as<Concat>()) j.a = node.inputs[0], j.b = node.inputs[1], j.both = node.output;
  return j;
}

TEST(ChooseGrids, ConcatenationsShareWhereItIsFree) {
  const Joined j = joined();
  const auto seen = spread(j.graph, {{j.a, {-30.1f, 60}}, {j.b, {-3, 6}}, {j.both, {-30.1f, 60}}});
  const auto grids = choose_grids(j.graph, seen, kHonest, kPicture, kPicture);
  EXPECT_EQ(grids.at(name(j.graph, j.a)), grids.at(name(j.graph, j.both)));
  EXPECT_LT(grids.at(name(j.graph, j.b)).scale, grids.at(name(j.graph, j.both)).scale / 5)
      << "would lose three bits";
}

TEST(ChooseGrids, AConcatenationDoesNotCutItsInputs) {
  const Joined j = joined();
  const auto seen = spread(j.graph, {{j.a, {-60, 30}}, {j.b, {-3, 6}}, {j.both, {-30, 60}}});
  const auto grids = choose_grids(j.graph, seen, kHonest, kPicture, kPicture);
  EXPECT_FALSE(grids.at(name(j.graph, j.a)) == grids.at(name(j.graph, j.both)));
}

TEST(ChooseScale16, IsTheLargestMagnitudeOfTheTrunk) {
  Builder b(3, 1);
  const TensorId head = b.conv(0, 8, 3);
  const TensorId sum = b.add(b.conv(b.relu(b.conv(head, 8, 3)), 8, 3), head);
  const Graph graph = b.take(b.shuffle(b.conv(sum, 12, 3), 2));
  const TensorId first = graph.nodes[0].output;
  const TensorId second = graph.nodes[2].output;
  ASSERT_EQ(graph.nodes[2].inputs[1], first);
  const auto grids = choose_grids(graph, spread(graph, {{first, {-30, 61}}, {second, {-80, 40}}}), kHonest,
                                  kPicture, kPicture);
  const auto scales = choose_scale16(graph, spread(graph, {{first, {-30, 61}}, {second, {-80, 40}}}), grids);
  const float expected = 80.0f / 32767;
  EXPECT_EQ(scales,
            (std::map<std::string, float>{{name(graph, first), expected}, {name(graph, second), expected}}));
  EXPECT_TRUE(choose_scale16(graph, spread(graph, {{first, {0, 0}}, {second, {0, 0}}}), grids).empty());
}

TEST(ChooseScale16, NoTrunkNoScale) {
  const Graph graph = testing::small_abpn();
  const auto seen = spread(graph);
  EXPECT_TRUE(choose_scale16(graph, seen, choose_grids(graph, seen, kHonest, kPicture, kPicture)).empty());
}

}  // namespace
}  // namespace fye
