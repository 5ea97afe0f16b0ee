#include "execute/macs.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

// A 3x3 convolution from 3 to `channels` channels, then depth-to-space by 2 (which costs no multiplication).
Graph small_net(int channels, int group) {
  Graph graph;
  graph.tensors = {{"in", {1, 3, -1, -1}}, {"mid", {}}, {"out", {}}};
  graph.inputs = {0};
  graph.outputs = {2};
  graph.constants.push_back({{channels, 3 / group, 3, 3}, std::vector<float>(size_t(channels) * 27 / group)});
  Conv conv;
  conv.kernel_h = conv.kernel_w = 3;
  conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = 1;
  conv.group = group;
  conv.weight = 0;
  graph.nodes.push_back({"conv", {0}, 1, conv});
  graph.nodes.push_back({"shuffle", {1}, 2, DepthToSpace{2, false}});
  return graph;
}

TEST(Macs, CountsConvolutionsOnly) {
  const auto macs = macs_of(small_net(12, 1), 10, 7);
  ASSERT_TRUE(macs) << macs.error().text();
  EXPECT_EQ(*macs, int64_t{10} * 7 * 12 * 3 * 9);
}

TEST(Macs, GroupsDivide) {
  const auto macs = macs_of(small_net(12, 3), 10, 7);
  ASSERT_TRUE(macs) << macs.error().text();
  EXPECT_EQ(*macs, int64_t{10} * 7 * 12 * 9);
}

TEST(Macs, GrowsWithTheArea) {
  EXPECT_EQ(*macs_of(small_net(4, 1), 20, 14), 4 * *macs_of(small_net(4, 1), 10, 7));
}

TEST(Macs, BelongToTheConvolution) {
  const auto nodes = macs_by_node(small_net(12, 1), 10, 7);
  ASSERT_TRUE(nodes) << nodes.error().text();
  EXPECT_EQ(*nodes, (std::vector<int64_t>{int64_t{10} * 7 * 12 * 3 * 9, 0}));
}

TEST(Macs, RefusesWhatIsNoPicture) {
  Graph graph = small_net(4, 1);
  graph.tensors[0].shape = {1, 3};
  EXPECT_FALSE(macs_of(graph, 4, 4));
  graph.inputs.clear();
  EXPECT_FALSE(macs_of(graph, 4, 4));
}

}  // namespace
}  // namespace fye
