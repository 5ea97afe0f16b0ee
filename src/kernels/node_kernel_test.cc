// What the factory must refuse, and say. Right results are tested beside each family.
#include "kernels/node_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/reference/check_node.h"

namespace fye {
namespace {

using testing::HasSubstr;

// Prepares `op` for inputs of these channels; the error's text, or "" if it worked.
std::string refusal(Attributes op, std::vector<Format> in, const Format& out,
                    std::vector<Constant> constants = {}) {
  Graph graph;
  Node node{"the node", {}, int(in.size()), std::move(op)};
  for (size_t i = 0; i < in.size(); ++i) {
    node.inputs.push_back(int(i));
    graph.inputs.push_back(int(i));
    graph.tensors.push_back({"t" + std::to_string(i), {1, in[i].channels, -1, -1}});
  }
  graph.tensors.push_back({"out", {}});
  graph.constants = std::move(constants);
  graph.nodes = {node};
  const auto kernel = prepare_node(graph, graph.nodes[0], in, out, Isa::amx);
  if (kernel) return "";
  EXPECT_EQ(kernel.error().code, ErrorCode::bad_input);
  EXPECT_THAT(kernel.error().what, HasSubstr("\"the node\""));
  return kernel.error().what;
}

const Format kFloat3{DType::f32, {}, 3}, kBytes3{DType::u8, {0.5f, 10}, 3}, kBf3{DType::bf16, {}, 3};

TEST(PrepareNode, TakesEveryFormatWhereItCan) {
  for (const Format& f : {kFloat3, kBf3, kBytes3})
    EXPECT_EQ(refusal(Elementwise{{Activation::Kind::relu}}, {f}, f), "");
}

TEST(PrepareNode, MixedFormats) {
  EXPECT_THAT(refusal(Elementwise{}, {kFloat3}, kBytes3), HasSubstr("input 0 is f32 and the output u8"));
  EXPECT_THAT(refusal(Binary{}, {kBytes3, kBf3}, kBytes3), HasSubstr("input 1 is bf16 and the output u8"));
  EXPECT_THAT(refusal(Elementwise{}, {{DType::u16, {}, 3}}, {DType::u16, {}, 3}), HasSubstr("u16"));
}

TEST(PrepareNode, ArityAndChannels) {
  EXPECT_THAT(refusal(Binary{}, {kFloat3}, kFloat3), HasSubstr("got 1 input maps, expected 2"));
  EXPECT_THAT(refusal(Elementwise{}, {{DType::f32, {}, 0}}, kFloat3), HasSubstr("0 channels"));
  EXPECT_THAT(refusal(Elementwise{}, {{DType::f32, {}, 4}}, kFloat3), HasSubstr("4 channels in, 3 out"));
  EXPECT_THAT(refusal(Binary{}, {kFloat3, {DType::f32, {}, 1}}, kFloat3), HasSubstr("1 channels in, 3 out"));
  EXPECT_THAT(refusal(Concat{1}, {kFloat3, kFloat3}, kFloat3), HasSubstr("6 channels in all, 3 out"));
  EXPECT_THAT(refusal(DepthToSpace{2}, {kFloat3}, kFloat3), HasSubstr("block 2"));
  EXPECT_THAT(refusal(DepthToSpace{0}, {kFloat3}, kFloat3), HasSubstr("block 0"));
  EXPECT_THAT(refusal(Affine{{1, 2}, {3, 4}}, {kFloat3}, kFloat3), HasSubstr("2 scales"));
  EXPECT_THAT(refusal(Elementwise{{Activation::Kind::prelu, {1, 2}}}, {kFloat3}, kFloat3),
              HasSubstr("2 slopes"));
}

TEST(PrepareNode, QuantisationThatMeansNothing) {
  EXPECT_THAT(refusal(Elementwise{}, {{DType::u8, {0, 3}, 3}}, kBytes3), HasSubstr("scale 0"));
  EXPECT_THAT(refusal(Elementwise{}, {kBytes3}, {DType::u8, {NAN, 3}, 3}), HasSubstr("scale nan"));
  EXPECT_THAT(refusal(Elementwise{}, {kBytes3}, {DType::u8, {1, 256}, 3}), HasSubstr("zero point 256"));
}

TEST(PrepareNode, FloatOnlyOps) {
  EXPECT_THAT(refusal(Softmax{1}, {kBytes3}, kBytes3), HasSubstr("not in u8"));
  EXPECT_THAT(refusal(GlobalAveragePool{}, {kBytes3}, kBytes3), HasSubstr("not in u8"));
  EXPECT_THAT(refusal(Gemm{0}, {kBytes3}, kBytes3, {{{3, 3}, std::vector<float>(9)}}),
              HasSubstr("not in u8"));
  EXPECT_THAT(refusal(ConvTranspose{}, {kBytes3}, kBytes3), HasSubstr("not in u8"));
}

TEST(PrepareNode, AxesThatMapsDoNotHave) {
  EXPECT_THAT(refusal(Softmax{3}, {kFloat3}, kFloat3), HasSubstr("axis 3"));
  EXPECT_THAT(refusal(Softmax{-1}, {kFloat3}, kFloat3), HasSubstr("axis -1"));
  EXPECT_THAT(refusal(Concat{2}, {kFloat3}, kFloat3), HasSubstr("axis 2"));
}

TEST(PrepareNode, ConstantsThatDoNotFit) {
  const Binary op{Binary::Kind::add, 0};
  const auto constant = [](Shape shape) {
    return std::vector<Constant>{{shape, std::vector<float>(size_t(element_count(shape)))}};
  };
  EXPECT_THAT(refusal(op, {kFloat3}, kFloat3, constant({2, 1, 1})),
              HasSubstr("the constant has 2 channels, the tensor 3"));
  EXPECT_THAT(refusal(op, {kFloat3}, kFloat3, constant({2, 3, 1, 1})), HasSubstr("2 batch items"));
  EXPECT_THAT(refusal(op, {kFloat3}, kFloat3, constant({1, 1, 3, 1, 1})), HasSubstr("5 dimensions"));
  EXPECT_EQ(refusal(op, {kFloat3}, kFloat3, constant({1, 3, 1, 1})), "");
  EXPECT_THAT(refusal(Gemm{0}, {kFloat3}, kFloat3, constant({3, 4})),
              HasSubstr("weight [3, 4], expected [3, 3]"));
  EXPECT_THAT(refusal(Gemm{0, kNone, true}, {kFloat3}, kFloat3, constant({3, 3})), HasSubstr("transA"));
  EXPECT_THAT(refusal(ConvTranspose{.weight = 0}, {kFloat3}, kFloat3, constant({3, 4, 1, 1})),
              HasSubstr("weight [3, 4, 1, 1]"));
}

TEST(PrepareNode, ConvolutionsBelongElsewhere) {
  EXPECT_THAT(refusal(Conv{}, {kFloat3}, kFloat3), HasSubstr("prepare_conv"));
}

}  // namespace
}  // namespace fye
