// Graphs that must be refused, each by one change to a good one.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "graph/graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::HasSubstr;

TEST(Validate, GoodGraphs) {
  EXPECT_TRUE(validate(abpn(2, random_weights(1))));
  EXPECT_TRUE(validate(small_classifier(32, random_weights(1))));
}

TEST(Validate, EachFaultIsNamed) {
  const struct {
    std::function<void(Graph&)> spoil;
    const char* message;
  } cases[] = {
      {[](Graph& g) { g.nodes[0].as<Conv>()->stride_h = 0; }, "stride 0"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->kernel_w = 1 << 20; }, "kernel size"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->pad_left = -1; }, "padding -1"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->dilation_h = 0; }, "dilation 0"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->group = 3; }, "3 groups"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->weight = kNone; }, "no weight"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->weight = 1000; }, "no weight"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->kernel_h = 5; }, "does not fit a 5x3 kernel"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->bias = g.nodes[0].as<Conv>()->weight; }, "bias"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->residual_repeat = 5; }, "residual_repeat 5"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->act = {.kind = Activation::Kind::leaky_relu}; }, "one slope"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->act = {.kind = Activation::Kind::prelu, .slope = {1}}; },
       "1 slopes"},
      {[](Graph& g) { g.nodes[0].as<Conv>()->act = {.kind = Activation::Kind::clip, .lo = NAN}; }, "NaN"},
      {[](Graph& g) { g.nodes[0].inputs.clear(); }, "0 inputs"},
      {[](Graph& g) { g.nodes[0].inputs[0] = 1000; }, "no tensor"},
      {[](Graph& g) { g.nodes[0].inputs[0] = g.nodes[3].output; }, "not computed before"},
      {[](Graph& g) { g.nodes[1].output = g.nodes[0].output; }, "written twice"},
      {[](Graph& g) { g.nodes[1].name = g.nodes[0].name; }, "node name"},
      {[](Graph& g) { g.tensors[1].name = g.tensors[0].name; }, "tensor name"},
      {[](Graph& g) { g.tensors[1].name = ""; }, "tensor name"},
      {[](Graph& g) { g.constants[0].values.pop_back(); }, "values for shape"},
      {[](Graph& g) { g.outputs = {1000}; }, "no node"},
      {[](Graph& g) { g.outputs.clear(); }, "no output"},
      {[](Graph& g) { g.inputs.push_back(g.inputs[0]); }, "listed twice"},
      {[](Graph& g) { g.nodes[0].op = Affine{{1}, {}}; }, "1 scales and 0 shifts"},
      {[](Graph& g) { g.nodes[0].op = DepthToSpace{.block = 0}; }, "block 0"},
      {[](Graph& g) { g.nodes[0].op = Resize{.factor_h = 0}; }, "factor 0"},
      {[](Graph& g) { g.nodes[0].op = Pool{.pad_top = 1}; }, "without a pixel"},
      {[](Graph& g) { g.nodes[0].op = Binary{}; }, "1 inputs"},
      {[](Graph& g) { g.nodes[0].op = Reshape{{-1, -1}}; }, "impossible target"},
      {[](Graph& g) { g.nodes[0].op = Gemm{}; }, "no weight"},
  };
  for (const auto& [spoil, message] : cases) {
    Graph graph = abpn(2, random_weights(1));
    spoil(graph);
    const auto status = validate(graph);
    ASSERT_FALSE(status) << message;
    EXPECT_THAT(status.error().what, HasSubstr(message));
  }
}

}  // namespace
}  // namespace fye
