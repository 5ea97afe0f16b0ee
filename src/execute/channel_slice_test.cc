#include "execute/channel_slice.h"

#include <gtest/gtest.h>

#include "execute/testing_graphs.h"

namespace fye {
namespace {

int node_with_residual(const Graph& graph) {
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].as<Conv>() && graph.nodes[n].inputs.size() > 1) return int(n);
  return kNone;
}

TEST(ChannelSlice, TakesItsFiltersBiasesAndScales) {
  const Graph graph = testing::branched();
  const Calib calib = testing::made_up_calib(graph);
  const Node& node = graph.nodes[0];
  const ChannelSlice slice = slice_channels(graph, &calib, 0, 2, 6);
  const Conv* all = node.as<Conv>();
  const Conv* conv = slice.graph.nodes[0].as<Conv>();
  const Constant& weight = slice.graph.constants[size_t(conv->weight)];
  EXPECT_EQ(weight.shape, (Shape{4, 3, 5, 5}));
  EXPECT_EQ(weight.values[0], graph.constants[size_t(all->weight)].values[2 * 3 * 25]);
  EXPECT_EQ(slice.graph.constants[size_t(conv->bias)].values[3],
            graph.constants[size_t(all->bias)].values[5]);
  EXPECT_EQ(slice.calib.weights.at(node.name).scale[1], calib.weights.at(node.name).scale[3]);
  EXPECT_EQ(slice.calib.weights.at(node.name).values[0], calib.weights.at(node.name).values[2 * 3 * 25]);
  EXPECT_TRUE(validate_node(slice.graph, slice.graph.nodes[0]));
}

TEST(ChannelSlice, ARepeatedResidualIsCutAtWholeTurns) {
  const Graph graph = testing::small_abpn(3);
  const int index = node_with_residual(graph);
  ASSERT_NE(index, kNone);
  const Node& node = graph.nodes[size_t(index)];
  EXPECT_EQ(channel_granule(graph, node), 3);
  const ChannelSlice slice = slice_channels(graph, nullptr, index, 6, 15);
  EXPECT_EQ(slice.graph.nodes[0].as<Conv>()->residual_repeat, 3);
  const ChannelRange range = slice_of_residual(node, 3, 6, 15);
  EXPECT_EQ(range.from, 0);
  EXPECT_EQ(range.to, 3);
}

TEST(ChannelSlice, GroupsAndNarrowLayersStayWhole) {
  testing::Builder b(3, 1);
  Graph graph = b.take(b.conv(b.conv(0, 16, 3), 8, 3));
  EXPECT_TRUE(is_sliceable(graph, graph.nodes[0]));
  EXPECT_FALSE(is_sliceable(graph, graph.nodes[1]));
  graph.nodes[0].as<Conv>()->group = 2;
  EXPECT_FALSE(is_sliceable(graph, graph.nodes[0]));
}

}  // namespace
}  // namespace fye
