// The oracle itself, against numbers worked out by hand and against identities. The ONNX project's cases,
// which cover its ops more widely, run in tests/onnx_node_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;
using Kind = Activation::Kind;

// A graph of one node over inputs of these shapes; constants are what the op refers to.
Graph one_node(Attributes op, const std::vector<Shape>& inputs, std::vector<Constant> constants = {}) {
  Graph graph;
  Node node{"only", {}, int(inputs.size()), std::move(op)};
  for (size_t i = 0; i < inputs.size(); ++i) {
    node.inputs.push_back(int(i));
    graph.inputs.push_back(int(i));
    graph.tensors.push_back({"in" + std::to_string(i), inputs[i]});
  }
  graph.tensors.push_back({"out", {}});
  graph.outputs = {int(inputs.size())};
  graph.nodes = {node};
  graph.constants = std::move(constants);
  return graph;
}

std::vector<float> run(const Graph& graph, const std::vector<Dense>& in) {
  const auto out = reference_graph(graph, in);
  EXPECT_TRUE(out) << (out ? "" : out.error().text());
  return out ? (*out)[0].values : std::vector<float>{};
}

TEST(Reference, ConvolutionByHand) {
  const Graph graph = one_node(Conv{.kernel_h = 2, .kernel_w = 2, .pad_top = 1, .weight = 0, .bias = 1},
                               {{1, 1, 2, 3}}, {{{1, 1, 2, 2}, {1, 10, 100, 1000}}, {{1}, {0.5f}}});
  EXPECT_THAT(run(graph, {{{1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}}}),
              ElementsAre(2100.5f, 3200.5f, 5421.5f, 6532.5f));
}

// post(act(conv + bias) + residual), the residual's channel c % (channels / repeat).
TEST(Reference, FusedConvolutionByHand) {
  const Conv op{.weight = 0, .act = {Kind::relu}, .post = {Kind::clip, {}, 0, 20}, .residual_repeat = 2};
  const Graph graph =
      one_node(op, {{1, 2, 1, 1}, {1, 2, 1, 1}}, {{{4, 2, 1, 1}, {1, 0, 0, 1, -1, -1, 3, 3}}});
  // conv: 3, 4, -7, 21 -> relu: 3, 4, 0, 21 -> + (10, -5, 10, -5) = 13, -1, 10, 16 -> clip
  EXPECT_THAT(run(graph, {{{1, 2, 1, 1}, {3, 4}}, {{1, 2, 1, 1}, {10, -5}}}), ElementsAre(13, 0, 10, 16));
}

RC_GTEST_PROP(Reference, GroupsAreConvolutionsSideBySide, ()) {
  const unsigned seed = *rc::gen::arbitrary<unsigned>();
  const int groups = *rc::gen::inRange(1, 4), per_group = *rc::gen::inRange(1, 3);
  Conv op{.kernel_h = 2,
          .kernel_w = 3,
          .stride_w = 2,
          .dilation_h = 2,
          .pad_left = 1,
          .pad_bottom = 1,
          .group = groups};
  op.weight = 0;
  NodeCase c = node_case(op, {{2, groups, 5, 6}}, DType::f32, seed);
  add_constant(c, {groups * per_group, 1, 2, 3}, seed);
  const std::vector<float> all = run(c.graph, c.in);
  const size_t out_plane = all.size() / size_t(2 * groups * per_group);
  for (int g = 0; g < groups; ++g) {
    op.group = 1;
    const auto& weights = c.graph.constants[0].values;
    const size_t count = size_t(per_group) * 6;
    const Graph part =
        one_node(op, {{1, 1, 5, 6}},
                 {{{per_group, 1, 2, 3},
                   {weights.begin() + ptrdiff_t(g * count), weights.begin() + ptrdiff_t((g + 1) * count)}}});
    for (int n = 0; n < 2; ++n) {
      const auto plane = c.in[0].values.begin() + (n * groups + g) * 30;
      const std::vector<float> one = run(part, {{{1, 1, 5, 6}, {plane, plane + 30}}});
      const auto at = all.begin() + ptrdiff_t(size_t((n * groups + g) * per_group) * out_plane);
      RC_ASSERT(std::equal(one.begin(), one.end(), at));
    }
  }
}

TEST(Reference, DepthToSpaceOrders) {
  Dense x{{1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7}};
  EXPECT_THAT(run(one_node(DepthToSpace{2, false}, {x.shape}), {x}), ElementsAre(0, 2, 4, 6, 1, 3, 5, 7));
  EXPECT_THAT(run(one_node(DepthToSpace{2, true}, {x.shape}), {x}), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST(Reference, BroadcastingByHand) {
  const Dense x{{1, 2, 1, 2}, {1, 2, 3, 4}};
  Graph graph = one_node(Binary{Binary::Kind::sub, 0, true}, {x.shape}, {{{2, 1, 1}, {10, 20}}});
  EXPECT_THAT(run(graph, {x}), ElementsAre(9, 8, 17, 16));
  const Dense row{{2}, {100, 200}};
  EXPECT_THAT(run(one_node(Binary{}, {x.shape, row.shape}), {x, row}), ElementsAre(101, 202, 103, 204));
}

TEST(Reference, PoolsByHand) {
  const Dense x{{1, 1, 2, 3}, {1, 2, 3, 4, 5, 9}};
  Pool op{Pool::Kind::average, 2, 2, 2, 2};
  op.ceil_mode = true;
  EXPECT_THAT(run(one_node(op, {x.shape}), {x}), ElementsAre(3, 6));
  op.pad_right = 1;
  op.count_include_pad = true;
  EXPECT_THAT(run(one_node(op, {x.shape}), {x}), ElementsAre(3, 3));
  op.kind = Pool::Kind::max;
  EXPECT_THAT(run(one_node(op, {x.shape}), {x}), ElementsAre(5, 9));
}

// Bicubic weights at the quarter positions of a factor of 2, a = -0.75: (-0.10546875, 0.87890625, 0.26171875,
// -0.03515625).
TEST(Reference, BicubicOfAnImpulse) {
  Dense x{{1, 1, 1, 5}, {0, 0, 1, 0, 0}};
  const std::vector<float> y = run(one_node(Resize{Resize::Kind::bicubic, 1, 2}, {x.shape}), {x});
  EXPECT_THAT(y, Pointwise(FloatNear(1e-6f),
                           std::vector<float>{0, -0.03515625f, -0.10546875f, 0.26171875f, 0.87890625f,
                                              0.87890625f, 0.26171875f, -0.10546875f, -0.03515625f, 0}));
}

TEST(Reference, ErrorsNameTheNode) {
  const Graph graph = one_node(Binary{}, {{1, 2}, {1, 2}});
  const Dense two{{1, 2}, {1, 2}}, three{{1, 3}, {1, 2, 3}}, lying{{1, 2}, {1, 2, 3}};
  const auto refused = [&](std::vector<Dense> in) {
    const auto out = reference_graph(graph, in);
    EXPECT_FALSE(out);
    return out ? "" : out.error().what;
  };
  EXPECT_THAT(refused({two}), HasSubstr("1 inputs for a graph of 2"));
  EXPECT_THAT(refused({two, three}), HasSubstr("\"only\""));
  EXPECT_THAT(refused({two, lying}), HasSubstr("\"only\""));
  const auto node = reference_node(graph, graph.nodes[0], {&two, 1});
  ASSERT_FALSE(node);
  EXPECT_THAT(node.error().what, HasSubstr("\"only\" (binary): got 1 inputs, expected 2"));
}

}  // namespace
}  // namespace fye
