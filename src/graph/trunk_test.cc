#include "graph/trunk.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

// A grid of its own for every tensor; 1 / 1 at the network's ends, as pictures have.
std::map<std::string, Quant> grids_of(const Graph& graph) {
  std::map<std::string, Quant> grids;
  for (size_t t = 0; t < graph.tensors.size(); ++t)
    grids[graph.tensors[t].name] = {0.5f + float(t) / 64, int(t) % 256};
  for (const auto* ends : {&graph.inputs, &graph.outputs})
    for (const TensorId end : *ends) grids[graph.tensors[size_t(end)].name] = {1, 0};
  return grids;
}

TensorId output_of(const Graph& graph, const std::string& node) {
  for (const Node& each : graph.nodes)
    if (each.name == node) return each.output;
  ADD_FAILURE() << "no node " << node;
  return 0;
}

// The head, the 16 blocks' sums and the long skip's are one trunk; the blocks' first convolutions are in
// none.
TEST(Trunks, EdsrHasOne) {
  const Graph graph = fuse(edsr_baseline_x2(random_weights(1)));
  const Trunks trunks = find_trunks(graph, grids_of(graph));
  EXPECT_EQ(trunks.count, 1);
  EXPECT_EQ(std::count(trunks.of.begin(), trunks.of.end(), 0), 18);
  EXPECT_EQ(std::count(trunks.wide.begin(), trunks.wide.end(), true), 18);
  EXPECT_TRUE(trunks.wide[size_t(output_of(graph, "head"))]);
  EXPECT_TRUE(trunks.wide[size_t(output_of(graph, "block7.conv2"))]);
  EXPECT_TRUE(trunks.wide[size_t(output_of(graph, "body"))]);
  EXPECT_FALSE(trunks.wide[size_t(output_of(graph, "block7.conv1"))]);
  EXPECT_FALSE(trunks.wide[size_t(output_of(graph, "up"))]);
}

TEST(Trunks, AnAnchorOfThePictureIsNone) {
  const Graph graph = fuse(abpn(3, random_weights(1)));
  EXPECT_EQ(find_trunks(graph, grids_of(graph)).count, 0);
}

// in -> a -> b (+ a) -> c (+ b) -> out.
Graph chain(int repeat = 1) {
  Graph graph;
  for (const char* name : {"in", "a", "b", "c", "out"}) graph.tensors.push_back({name, {1, 4, -1, -1}});
  graph.inputs = {0}, graph.outputs = {4};
  const Conv conv{.weight = 0, .act = {}, .post = {}, .residual_repeat = repeat};
  graph.constants = {{{4, 4, 1, 1}, std::vector<float>(16)}};
  graph.tensors.push_back({"d", {1, 4, -1, -1}});
  graph.nodes = {{"a", {0}, 1, conv},
                 {"d", {1}, 5, conv},
                 {"b", {5, 1}, 2, conv},
                 {"c", {5, 2}, 3, conv},
                 {"out", {3}, 4, conv}};
  return graph;
}

TEST(Trunks, ConnectsAddToAdd) {
  const Graph graph = chain();
  const Trunks trunks = find_trunks(graph, grids_of(graph));
  EXPECT_EQ(trunks.of, (std::vector<int>{kNone, 0, 0, 0, kNone, kNone}));
  EXPECT_EQ(trunks.wide, (std::vector<bool>{false, true, true, true, false, false}));
}

TEST(Trunks, WhatIsOnThePicturesGridStaysNarrow) {
  Graph graph = chain();
  auto grids = grids_of(graph);
  grids["b"] = {1, 0};  // the add that writes b is a plain one; c still adds to it
  Trunks trunks = find_trunks(graph, grids);
  EXPECT_EQ(trunks.of, (std::vector<int>{kNone, kNone, 0, 0, kNone, kNone}));
  EXPECT_EQ(trunks.wide, (std::vector<bool>{false, false, false, true, false, false}));
  graph.outputs = {3};
  trunks = find_trunks(graph, grids);
  EXPECT_EQ(trunks.count, 0);
}

TEST(Trunks, RepeatedResidualsAndAConvolutionsOwnInputAreNone) {
  Graph graph = chain(2);
  EXPECT_EQ(find_trunks(graph, grids_of(graph)).count, 0);
  graph = chain();
  graph.nodes[2].inputs = {1, 1};
  graph.nodes[3].inputs = {2, 2};
  EXPECT_EQ(find_trunks(graph, grids_of(graph)).count, 0);
}

TEST(Trunks, SumsOfTwoTensorsAndNothingElse) {
  using Kind = Binary::Kind;
  for (const Kind kind : {Kind::add, Kind::sub, Kind::mul, Kind::div}) {
    Graph graph = chain();
    graph.nodes[2].op = Binary{kind};
    const bool sum = kind == Kind::add || kind == Kind::sub;
    const Trunks trunks = find_trunks(graph, grids_of(graph));
    EXPECT_EQ(trunks.wide[5], sum);
    EXPECT_EQ(trunks.wide[2], sum);
    EXPECT_EQ(trunks.of[2], 0) << "c adds to it, whoever writes it";
    graph.nodes[2].op = Binary{kind, 0};
    graph.nodes[2].inputs = {5};
    EXPECT_EQ(find_trunks(graph, grids_of(graph)).of[5], kNone);
  }
}

TEST(TrunkScales, AreStatedOrDerived) {
  const Graph graph = chain();
  Calib calib;
  calib.tensors = {{"in", {1, 0}},      {"out", {1, 0}}, {"a", {0.5f, 10}},
                   {"b", {0.25f, 200}}, {"c", {2, 100}}, {"d", {100, 0}}};
  const Trunks trunks = find_trunks(graph, calib.tensors);
  const auto all = [&] { return trunk_scales(graph, calib, trunks); };
  const float derived = kTrunkHeadroom * 2 * 155 / 32767;
  EXPECT_EQ(all(), (std::vector<float>{0, derived, derived, derived, 0, 0}));
  calib.scale16 = {{"b", 0.125f}, {"d", 7}};
  EXPECT_EQ(all(), (std::vector<float>{0, 0.125f, 0.125f, 0.125f, 0, 0}));
  calib.scale16["c"] = 0.5f;
  EXPECT_EQ(all(), (std::vector<float>{0, 0.5f, 0.5f, 0.5f, 0, 0}));
}

// What a wide tensor is added to is of its trunk; no end of the network is wide; only convolutions and sums
// write s16.
RC_GTEST_PROP(Trunks, OfAnyGraph, ()) {
  const Graph graph =
      fuse(random_graph(*rc::gen::arbitrary<uint32_t>(), {.nodes = *rc::gen::inRange(2, 24)}));
  const Trunks trunks = find_trunks(graph, grids_of(graph));
  for (const TensorId input : graph.inputs) RC_ASSERT(!trunks.wide[size_t(input)]);
  for (const Node& node : graph.nodes) {
    const size_t out = size_t(node.output);
    if (!trunks.wide[out]) continue;
    RC_ASSERT(!graph.is_output(node.output));
    RC_ASSERT(trunks.of[out] >= 0 && trunks.of[out] < trunks.count);
    RC_ASSERT(node.as<Conv>() || node.as<Binary>());
    for (size_t i = node.as<Conv>() ? 1 : 0; i < node.inputs.size(); ++i)
      RC_ASSERT(trunks.of[size_t(node.inputs[i])] == trunks.of[out]);
  }
}

}  // namespace
}  // namespace fye
