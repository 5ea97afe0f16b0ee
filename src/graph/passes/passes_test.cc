// Each rewrite on the smallest graph that shows it and on one where it must keep its hands off; all of them
// together on random graphs: the same function, idempotent, names kept.
#include "graph/passes/passes.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <set>

#include "graph/builder.h"
#include "graph/passes/evaluate.h"
#include "graph/passes/fold_batch_norm.h"
#include "graph/passes/fuse_activation.h"
#include "graph/passes/fuse_post.h"
#include "graph/passes/fuse_residual.h"
#include "graph/passes/hoist_clip.h"
#include "graph/passes/remove_dead.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::HasSubstr;
using Kind = Activation::Kind;

// A graph under construction with the nodes these tests need.
struct Sketch {
  GraphBuilder graph;
  WeightSource weights = random_weights(7);
  TensorId input = graph.input("input", {1, 4, -1, -1});

  TensorId conv(const std::string& name, TensorId in, int64_t out = 4, int kernel = 3, int pad = 1) {
    Conv op{.kernel_h = kernel, .kernel_w = kernel};
    op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = pad;
    const Shape shape{out, graph.shape(in)[1], kernel, kernel};
    op.weight = graph.constant(shape, weights("c.weight", shape));
    op.bias = graph.constant({out}, weights("c.bias", {out}));
    return graph.node(name, op, {in});
  }
  TensorId act(const std::string& name, TensorId in, Activation act = {.kind = Kind::relu}) {
    return graph.node(name, Elementwise{act}, {in});
  }
  TensorId add(const std::string& name, TensorId a, TensorId b) { return graph.node(name, Binary{}, {a, b}); }
  TensorId affine(const std::string& name, TensorId in, float scale = 2, float shift = 3) {
    const auto channels = static_cast<size_t>(graph.shape(in)[1]);
    return graph.node(name, Affine{std::vector(channels, scale), std::vector(channels, shift)}, {in});
  }
};

// Names of the nodes, with their outputs: "conv1>relu1 ...".
std::string outline(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes)
    text +=
        (text.empty() ? "" : " ") + node.name + ">" + graph.tensors[static_cast<size_t>(node.output)].name;
  return text;
}

// The output for a fixed input.
Dense evaluate(const Graph& graph, int h = 16, int w = 18) {
  const int64_t channels = graph.tensors[static_cast<size_t>(graph.inputs[0])].shape[1];
  Dense input{{1, channels, h, w}, {}};
  uint32_t state = 1;
  for (int64_t i = 0; i < element_count(input.shape); ++i) {
    state = state * 1664525 + 1013904223;
    input.values.push_back(static_cast<double>(state >> 24));
  }
  const auto shapes = infer_shapes(graph, {input.shape});
  if (!shapes) return {};
  return Evaluator(graph).run(input, *shapes)[static_cast<size_t>(graph.outputs[0])];
}

// Equal up to float rounding of folded weights.
bool same_function(const Graph& a, const Graph& b) {
  const Dense x = evaluate(a), y = evaluate(b);
  if (x.values.empty() || x.shape != y.shape) return false;
  double largest = 1e-3;
  for (const double v : x.values) largest = std::max(largest, std::fabs(v));
  for (size_t i = 0; i < x.values.size(); ++i)
    if (!(std::fabs(x.values[i] - y.values[i]) <= 1e-4 * largest)) return false;
  return true;
}

TEST(FoldBatchNorm, AfterConvolution) {
  Sketch s;
  Graph before = s.graph.finish({s.affine("norm", s.conv("conv", s.input))});
  const Graph after = fold_batch_norm(before);
  EXPECT_EQ(outline(after), "conv>norm");
  EXPECT_TRUE(same_function(before, after));
}

TEST(FoldBatchNorm, ChainsAndGemm) {
  Sketch s;
  const TensorId flat =
      s.graph.node("flat", Reshape{}, {s.graph.node("mean", GlobalAveragePool{}, {s.input})});
  Gemm gemm{.weight = s.graph.constant({4, 5}, s.weights("g.weight", {4, 5})), .alpha = 2, .beta = 3};
  gemm.bias = s.graph.constant({5}, s.weights("g.bias", {5}));
  const Graph before = s.graph.finish({s.graph.node("fc", gemm, {flat})});
  EXPECT_EQ(outline(fold_batch_norm(before)), outline(before));

  Sketch t;
  const Graph chain = t.graph.finish({t.affine("b", t.affine("a", t.act("relu", t.input)), -1, 5)});
  EXPECT_EQ(outline(fold_batch_norm(chain)), "relu>relu a>b");
  EXPECT_TRUE(same_function(chain, fold_batch_norm(chain)));
}

TEST(FoldBatchNorm, BeforeConvolutionOnlyWhereExact) {
  for (const auto& [pad, shift, nodes] : {std::tuple{0, 3.0f, 1u}, {1, 0.0f, 1u}, {1, 3.0f, 2u}}) {
    Sketch s;
    const Graph before = s.graph.finish({s.conv("conv", s.affine("norm", s.input, 2, shift), 4, 3, pad)});
    const Graph after = fold_batch_norm(before);
    EXPECT_EQ(after.nodes.size(), nodes) << pad << " " << shift;
    EXPECT_TRUE(same_function(before, after));
  }
}

TEST(FoldBatchNorm, NotWhereOthersRead) {
  Sketch s;
  const TensorId conv = s.conv("conv", s.input);
  const Graph before = s.graph.finish({s.add("sum", s.affine("norm", conv), conv)});
  EXPECT_EQ(outline(fold_batch_norm(before)), outline(before));
}

TEST(FoldBatchNorm, SharedWeightsAreCopied) {
  Sketch s;
  const TensorId norm = s.affine("norm", s.conv("conv", s.input)), other = s.conv("other", s.input);
  Graph before = s.graph.finish({s.add("sum", norm, other)});
  before.nodes[2].as<Conv>()->weight = before.nodes[0].as<Conv>()->weight;
  EXPECT_TRUE(same_function(before, fold_batch_norm(before)));
}

TEST(HoistClip, AboveShuffles) {
  Sketch s;
  const Graph before =
      s.graph.finish({s.act("clip", s.graph.node("shuffle", DepthToSpace{}, {s.conv("conv", s.input, 8)}),
                            {.kind = Kind::clip, .lo = 0, .hi = 255})});
  const Graph after = hoist_clip(before);
  EXPECT_EQ(outline(after), "conv>conv clip>shuffle shuffle>clip");
  EXPECT_EQ(after.tensors[2].shape, (Shape{1, 8, -1, -1}));
  EXPECT_TRUE(same_function(before, after));
}

TEST(HoistClip, NotPerChannel) {
  Sketch s;
  const Graph before =
      s.graph.finish({s.act("act", s.graph.node("shuffle", DepthToSpace{}, {s.conv("conv", s.input, 8)}),
                            {.kind = Kind::prelu, .slope = {0.1f, 0.5f}})});
  EXPECT_EQ(to_text(hoist_clip(before)), to_text(before));
}

TEST(FuseActivation, EachKind) {
  for (const Activation& act : {Activation{.kind = Kind::relu},
                                {.kind = Kind::leaky_relu, .slope = {0.2f}},
                                {.kind = Kind::prelu, .slope = {0.1f, 0.2f, 0.3f, 0.4f}},
                                {.kind = Kind::clip, .lo = -1, .hi = 6}}) {
    Sketch s;
    const Graph before = s.graph.finish({s.act("act", s.conv("conv", s.input), act)});
    const Graph after = fuse_activation(before);
    EXPECT_EQ(outline(after), "conv>act");
    EXPECT_EQ(after.nodes[0].as<Conv>()->act, act);
    EXPECT_TRUE(same_function(before, after));
  }
}

TEST(FuseActivation, NotTanhNorReadElsewhereNorAnOutput) {
  Sketch s;
  const Graph tanh = s.graph.finish({s.act("act", s.conv("conv", s.input), {.kind = Kind::tanh})});
  EXPECT_EQ(outline(fuse_activation(tanh)), outline(tanh));
  Sketch t;
  const TensorId conv = t.conv("conv", t.input), act = t.act("act", conv);
  const Graph output = t.graph.finish({act, conv});
  EXPECT_EQ(outline(fuse_activation(output)), outline(output));
}

TEST(FuseResidual, SkipAndItsOrder) {
  for (const bool swap : {false, true}) {
    Sketch s;
    const TensorId head = s.conv("head", s.input), inner = s.conv("inner", s.act("relu", head));
    const Graph before = s.graph.finish(
        {s.graph.node("sum", Binary{}, swap ? std::vector{head, inner} : std::vector{inner, head})});
    const Graph after = fuse_residual(before);
    EXPECT_EQ(outline(after), "head>head relu>relu inner>sum");
    EXPECT_TRUE(same_function(before, after));
  }
}

TEST(FuseResidual, TheLaterOfTwoConvolutions) {
  Sketch s;
  const TensorId a = s.conv("a", s.input), b = s.conv("b", s.input);
  const Graph before = s.graph.finish({s.add("sum", a, b)});
  const Graph after = fuse_residual(before);
  EXPECT_EQ(outline(after), "a>a b>sum");
  EXPECT_TRUE(same_function(before, after));
}

TEST(FuseResidual, RepeatedAnchor) {
  Sketch s;
  const TensorId conv = s.conv("conv", s.input, 12),
                 anchor = s.graph.node("anchor", Concat{}, {s.input, s.input, s.input});
  const Graph before = s.graph.finish({s.add("sum", conv, anchor)});
  const Graph after = remove_dead(fuse_residual(before));
  EXPECT_EQ(outline(after), "conv>sum");
  EXPECT_EQ(after.nodes[0].as<Conv>()->residual_repeat, 3);
  EXPECT_EQ(after.nodes[0].inputs[1], after.inputs[0]);
  EXPECT_TRUE(same_function(before, after));
}

TEST(FuseResidual, HandsOff) {
  Sketch broadcast;  // another shape
  const TensorId mean = broadcast.graph.node("mean", GlobalAveragePool{}, {broadcast.input});
  const Graph a =
      broadcast.graph.finish({broadcast.add("sum", broadcast.conv("conv", broadcast.input), mean)});
  EXPECT_EQ(outline(fuse_residual(a)), outline(a));
  Sketch itself;
  const TensorId conv = itself.conv("conv", itself.input);
  const Graph b = itself.graph.finish({itself.add("sum", conv, conv)});
  EXPECT_EQ(outline(fuse_residual(b)), outline(b));
  Sketch active;  // relu(conv) + x is no form of Conv's
  const TensorId relu = active.act("relu", active.conv("conv", active.input));
  const Graph c = active.graph.finish({active.add("sum", relu, active.input)});
  EXPECT_EQ(outline(fuse_residual(fuse_activation(c))), "conv>relu sum>sum");
}

TEST(FusePost, AfterTheSumAlone) {
  Sketch s;
  const Graph before = s.graph.finish({s.act("post", s.add("sum", s.conv("conv", s.input), s.input))});
  const Graph after = fuse_post(fuse_residual(before));
  EXPECT_EQ(outline(after), "conv>post");
  EXPECT_TRUE(same_function(before, after));
  Sketch t;
  const Graph leaky = t.graph.finish({t.act("post", t.add("sum", t.conv("conv", t.input), t.input),
                                            {.kind = Kind::leaky_relu, .slope = {0.2f}})});
  EXPECT_EQ(outline(fuse_post(fuse_residual(leaky))), "conv>sum post>post");
}

TEST(RemoveDead, IdentitiesUnusedNodesAndTheirConstants) {
  Sketch s;
  const TensorId same = s.graph.node("same", Reshape{{0, 0, 0, 0}}, {s.act("identity", s.input, {})});
  s.conv("unused", same);
  const Graph after = remove_dead(s.graph.finish({s.conv("conv", s.affine("one", same, 1, 0))}));
  EXPECT_EQ(outline(after), "conv>conv");
  EXPECT_EQ(after.constants.size(), 2);
  EXPECT_EQ(after.tensors.size(), 2);
  EXPECT_EQ(after.nodes[0].inputs[0], after.inputs[0]);
}

TEST(RemoveDead, OutputsKeepTheirNames) {
  Sketch s;
  const TensorId conv = s.conv("conv", s.input);
  const TensorId relu = s.act("relu", conv);
  Graph before = s.graph.finish({s.act("out", conv, {}), relu});
  const Graph after = remove_dead(before);
  EXPECT_EQ(outline(after), "conv>out relu>relu");
  EXPECT_EQ(after.nodes[1].inputs[0], after.nodes[0].output);
  Sketch t;
  const Graph direct = t.graph.finish({t.act("out", t.input, {})});
  EXPECT_EQ(outline(remove_dead(direct)), "out>out");
}

TEST(Fuse, Abpn) {
  const Graph graph = abpn(3, random_weights(1));
  const Graph fused = fuse(graph);
  EXPECT_EQ(
      outline(fused),
      "conv1>relu1 conv2>relu2 conv3>relu3 conv4>relu4 conv5>relu5 conv6>relu6 conv7>shuffle shuffle>output");
  EXPECT_THAT(to_text(fused), HasSubstr("conv(relu6, input) 3x3 pad 1,1,1,1"));
  EXPECT_THAT(to_text(fused), HasSubstr("repeat 9 post clip 0 255"));
  EXPECT_TRUE(same_function(graph, fused));
}

TEST(Fuse, EdsrKeepsTheFirstMeanAndFoldsTheLast) {
  const Graph fused = fuse(edsr_baseline_x2(random_weights(1)));
  EXPECT_EQ(fused.nodes.front().name, "sub_mean");
  EXPECT_EQ(fused.nodes.back().name, "tail");
  EXPECT_EQ(fused.nodes.size(), 38);
}

TEST(Fuse, SameFunctionIdempotentNamesKept) {
  EXPECT_TRUE(rc::check("fuse", [] {
    const Graph graph = random_graph(*rc::gen::arbitrary<uint64_t>(), {.nodes = 7, .global = true});
    const Graph fused = fuse(graph);
    RC_ASSERT(static_cast<bool>(validate(fused)));
    RC_ASSERT(to_text(fuse(fused)) == to_text(fused));
    RC_ASSERT(same_function(graph, fused));
    std::set<std::string> before;
    for (const Tensor& tensor : graph.tensors) before.insert(tensor.name);
    for (const Tensor& tensor : fused.tensors) RC_ASSERT(before.contains(tensor.name));
    RC_ASSERT(fused.tensors[static_cast<size_t>(fused.outputs[0])].name == "output");
    // Declared shapes are what the rules give.
    std::vector<Shape> inputs;
    for (const TensorId id : fused.inputs) inputs.push_back(fused.tensors[static_cast<size_t>(id)].shape);
    const auto shapes = infer_shapes(fused, inputs);
    RC_ASSERT(static_cast<bool>(shapes));
    for (size_t i = 0; i < shapes->size(); ++i) RC_ASSERT((*shapes)[i] == fused.tensors[i].shape);
  }));
}

}  // namespace
}  // namespace fye
