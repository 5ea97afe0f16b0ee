// Shapes against values worked out by hand from ONNX's operator pages, and inputs that must be refused with
// the node's name.
#include "graph/shapes.h"

#include <gmock/gmock.h>

#include "graph/builder.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::HasSubstr;

// The shape of one node with these constants, or the error's text in its place.
struct Case {
  Attributes op;
  std::vector<Shape> in;
  Shape expected;
  std::vector<Constant> constants;
};

Constant zeros(Shape shape) {
  const auto count = static_cast<size_t>(element_count(shape));
  return {std::move(shape), std::vector<float>(count)};
}

Result<Shape> shape_of(const Attributes& op, const std::vector<Shape>& in,
                       std::vector<Constant> constants = {}) {
  Graph graph;
  graph.constants = std::move(constants);
  const Node node{"it", std::vector<TensorId>(in.size()), 0, op};
  return infer_node(graph, node, in);
}

TEST(Shapes, ByHand) {
  const Conv strided{
      .kernel_h = 3, .kernel_w = 5, .stride_h = 2, .stride_w = 1, .dilation_w = 2, .pad_top = 1, .weight = 0};
  const Case cases[] = {
      {strided, {{1, 3, 11, 20}}, {1, 8, 5, 12}, {zeros({8, 3, 3, 5})}},
      {strided, {{1, 3, -1, 20}}, {1, 8, -1, 12}, {zeros({8, 3, 3, 5})}},
      {Conv{.group = 4, .weight = 0}, {{2, 8, 5, 5}}, {2, 12, 5, 5}, {zeros({12, 2, 1, 1})}},
      {Conv{.weight = 0, .residual_repeat = 4},
       {{1, 2, 5, 5}, {1, 3, 5, 5}},
       {1, 12, 5, 5},
       {zeros({12, 2, 1, 1})}},
      // (5 - 1) * 3 + (3 - 1) * 1 + 1 - 1 - 1 + 2
      {ConvTranspose{.kernel_h = 3,
                     .kernel_w = 3,
                     .stride_h = 3,
                     .stride_w = 1,
                     .pad_top = 1,
                     .pad_bottom = 1,
                     .output_pad_h = 2,
                     .weight = 0},
       {{1, 4, 5, 5}},
       {1, 6, 15, 7},
       {zeros({4, 6, 3, 3})}},
      {Binary{}, {{1, 3, -1, -1}, {1, 1, 1, 1}}, {1, 3, -1, -1}},
      {Binary{}, {{4}, {2, 3, 1}}, {2, 3, 4}},
      {Binary{.constant = 0}, {{1, 3, 2, 2}}, {1, 3, 2, 2}, {zeros({3, 1, 1})}},
      {Concat{}, {{1, 3, 4, -1}, {1, 5, -1, 7}}, {1, 8, 4, 7}},
      {DepthToSpace{.block = 3}, {{1, 27, 4, -1}}, {1, 3, 12, -1}},
      {Resize{.factor_h = 2, .factor_w = 3}, {{1, 2, 4, 5}}, {1, 2, 8, 15}},
      {Pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}, {{1, 2, 5, 6}}, {1, 2, 2, 3}},
      {Pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .ceil_mode = true},
       {{1, 2, 5, 6}},
       {1, 2, 3, 3}},
      // The third window would start in the end padding: (3 - 1) * 2 >= 3 + 1.
      {Pool{.kernel_h = 1, .stride_h = 2, .pad_top = 0, .pad_bottom = 0, .ceil_mode = true},
       {{1, 2, 4, 6}},
       {1, 2, 2, 6}},
      {GlobalAveragePool{}, {{1, 7, -1, -1}}, {1, 7, 1, 1}},
      {Gemm{.weight = 0, .trans_b = true}, {{2, 5}}, {2, 7}, {zeros({7, 5})}},
      {Gemm{.weight = 0, .trans_a = true}, {{5, 2}}, {2, 7}, {zeros({5, 7})}},
      {Reshape{}, {{2, 3, 4, 5}}, {2, 60}},
      {Reshape{{}, 0}, {{2, 3}}, {1, 6}},
      {Reshape{{0, -1, 4}}, {{2, 6, 2}}, {2, 3, 4}},
      {Reshape{{0, -1}}, {{1, 3, -1, -1}}, {1, -1}},
      {Softmax{}, {{1, 5}}, {1, 5}},
      {Affine{{1, 2}, {3, 4}}, {{1, 2, -1, -1}}, {1, 2, -1, -1}},
  };
  int i = 0;
  for (const auto& [op, in, expected, constants] : cases) {
    const auto shape = shape_of(op, in, constants);
    ASSERT_TRUE(shape) << i << ": " << shape.error().what;
    EXPECT_EQ(*shape, expected) << i;
    ++i;
  }
}

TEST(Shapes, RefusedWithTheNode) {
  const struct {
    Attributes op;
    std::vector<Shape> in;
    const char* message;
    std::vector<Constant> constants;
  } cases[] = {
      {Conv{.weight = 0}, {{1, 4, 5, 5}}, "4 channels, the weights take 3", {zeros({8, 3, 1, 1})}},
      {Conv{.weight = 0}, {{3, 5, 5}}, "3 dimensions, expected 4", {zeros({8, 3, 1, 1})}},
      {Conv{.kernel_h = 3, .weight = 0}, {{1, 3, 2, 5}}, "smaller than the kernel", {zeros({8, 3, 3, 1})}},
      {Conv{.weight = 0, .residual_repeat = 4},
       {{1, 2, 5, 5}, {1, 4, 5, 5}},
       "residual",
       {zeros({12, 2, 1, 1})}},
      {Binary{}, {{1, 3, 4, 4}, {1, 3, 5, 4}}, "can't be combined"},
      {Concat{}, {{1, 3, 4, 4}, {1, 3, 4, 5}}, "can't be joined"},
      {Concat{4}, {{1, 3, 4, 4}}, "axis 4"},
      {DepthToSpace{.block = 2}, {{1, 27, 4, 4}}, "no multiple"},
      {Gemm{.weight = 0}, {{1, 6}}, "does not fit weights", {zeros({7, 5})}},
      {Reshape{{5, 5}}, {{1, 24}}, "can't become"},
      {Reshape{{7, -1}}, {{1, 24}}, "can't become"},
      {Reshape{{1, 1, 0}}, {{1, 24}}, "lacks"},
      {Softmax{2}, {{1, 24}}, "axis 2"},
      {Affine{{1}, {1}}, {{1, 2, 3, 3}}, "1 channel constants"},
      {Elementwise{{.kind = Activation::Kind::prelu, .slope = {1, 2, 3}}}, {{1, 2, 3, 3}}, "3 slopes"},
      {Resize{.factor_h = 1 << 15, .factor_w = 1 << 15}, {{1, 3, 1 << 20, 1 << 20}}, "beyond 2^40"},
  };
  for (const auto& [op, in, message, constants] : cases) {
    const auto shape = shape_of(op, in, constants);
    ASSERT_FALSE(shape) << message;
    EXPECT_EQ(shape.error().code, ErrorCode::bad_input);
    EXPECT_THAT(shape.error().what, HasSubstr(message));
    EXPECT_THAT(shape.error().what, HasSubstr("node \"it\""));
  }
}

TEST(Shapes, WholeGraph) {
  const Graph graph = abpn(3, random_weights(1));
  const auto shapes = infer_shapes(graph, {{1, 3, 20, 30}});
  ASSERT_TRUE(shapes) << shapes.error().what;
  EXPECT_EQ((*shapes)[graph.outputs[0]], (Shape{1, 3, 60, 90}));
}

TEST(Shapes, WholeGraphRefusesInputs) {
  const Graph graph = abpn(3, random_weights(1));
  for (const std::vector<Shape>& in : {std::vector<Shape>{},
                                       {{1, 4, 20, 30}},
                                       {{3, 20, 30}},
                                       {{1, 3, 0, 30}},
                                       {{1, 3, -2, 30}},
                                       {{1, 3, int64_t{1} << 40, 30}},
                                       {{1, 3, 20, 30}, {1, 3, 20, 30}}})
    EXPECT_FALSE(infer_shapes(graph, in));
}

TEST(ElementCount, UnknownOrTooLarge) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 0, 3}), 0);
  EXPECT_EQ(element_count({2, -1}), -1);
  EXPECT_EQ(element_count({int64_t{1} << 40, int64_t{1} << 40}), -1);
}

TEST(Numbers, NamesRoundTrip) {
  for (const Numbers numbers : kAllNumbers) EXPECT_EQ(numbers_from(name(numbers)), numbers);
  EXPECT_EQ(numbers_from("int4"), std::nullopt);
}

}  // namespace
}  // namespace fye
