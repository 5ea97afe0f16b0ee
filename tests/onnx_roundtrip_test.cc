// Export and import undo each other: on random graphs, on the known networks, and with quantisation.
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "export/onnx_export.h"
#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"
#include "import/onnx_import.h"

namespace fye {
namespace {

// import(export(graph)) as text, or the error.
std::string round_trip(const Graph& graph) {
  const auto bytes = export_onnx(graph);
  if (!bytes) return bytes.error().what;
  const auto imported = import_onnx_bytes(*bytes, "round trip", {});
  return imported ? to_text(imported->graph) : imported.error().what;
}

// A made-up calibration: every tensor, every convolution and Gemm of a fused graph.
Calib some_calib(const Graph& graph) {
  Calib calib{.method = "test"};
  int i = 0;
  for (const Tensor& tensor : graph.tensors)
    calib.tensors[tensor.name] = {0.25f + 0.125f * static_cast<float>(i % 7), 16 * (i % 5)}, ++i;
  // What moves bytes has one quantisation on both sides.
  for (const Node& node : graph.nodes) {
    const Resize* resize = node.as<Resize>();
    const Pool* pool = node.as<Pool>();
    if (node.as<DepthToSpace>() || (resize && resize->kind == Resize::Kind::nearest) ||
        (pool && pool->kind == Pool::Kind::max))
      calib.tensors[graph.tensors[node.output].name] = calib.tensors[graph.tensors[node.inputs[0]].name];
  }
  for (const Node& node : graph.nodes) {
    const Conv* conv = node.as<Conv>();
    const Gemm* gemm = node.as<Gemm>();
    if (!conv && !gemm) continue;
    const Constant& weight = graph.constants[static_cast<size_t>(conv ? conv->weight : gemm->weight)];
    const auto channels = static_cast<size_t>(weight.shape[gemm && !gemm->trans_b ? 1 : 0]);
    WeightQuant quant{.scale = std::vector<float>(channels, 0.125f)};
    for (size_t k = 0; k < weight.values.size(); ++k)
      quant.values.push_back(static_cast<int8_t>(static_cast<int>(k * 37 % 255) - 127));
    const bool biased = (conv ? conv->bias : gemm->bias) != kNone;
    // Whole multiples of input scale times weight scale, so that they survive rounding to s32.
    const float unit = calib.tensors[graph.tensors[node.inputs[0]].name].scale * 0.125f;
    for (size_t c = 0; c < channels; ++c) quant.bias.push_back(biased ? unit * static_cast<float>(c) : 0);
    calib.weights[node.name] = std::move(quant);
  }
  return calib;
}

TEST(RoundTrip, RandomGraphs) {
  EXPECT_TRUE(rc::check("import(export(g)) is fuse(g)", [] {
    const Graph graph = random_graph(*rc::gen::arbitrary<uint64_t>(), {.nodes = 10, .global = true});
    const Graph fused = fuse(graph);
    RC_ASSERT(round_trip(graph) == to_text(fused));
    RC_ASSERT(round_trip(fused) == to_text(fused));
    RC_ASSERT(*export_onnx(graph) == *export_onnx(graph));
  }));
}

TEST(RoundTrip, KnownNetworks) {
  const WeightSource weights = random_weights(1);
  for (const Graph& graph : {abpn(2, weights), abpn(3, weights), abpn(4, weights), edsr_baseline_x2(weights),
                             srcnn(3, weights), srvgg(4, 8, 4, weights), small_classifier(32, weights)})
    EXPECT_EQ(round_trip(graph), to_text(fuse(graph)));
}

TEST(RoundTrip, Quantised) {
  const WeightSource weights = random_weights(1);
  for (const Graph& graph : {fuse(abpn(3, weights)), fuse(edsr_baseline_x2(weights)),
                             fuse(srvgg(4, 8, 4, weights)), fuse(small_classifier(32, weights))}) {
    const Calib calib = some_calib(graph);
    const auto bytes = export_qdq(graph, calib);
    ASSERT_TRUE(bytes) << bytes.error().what;
    const auto imported = import_onnx_bytes(*bytes, "quantised", {});
    ASSERT_TRUE(imported) << imported.error().what;
    ASSERT_TRUE(imported->calib);
    EXPECT_EQ(imported->calib->tensors, calib.tensors);
    for (const auto& [name, quant] : calib.weights) {
      const WeightQuant& back = imported->calib->weights.at(name);
      EXPECT_EQ(back.values, quant.values) << name;
      EXPECT_EQ(back.scale, quant.scale) << name;
      EXPECT_EQ(back.bias, quant.bias) << name;
    }
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      EXPECT_EQ(imported->graph.nodes[i].name, graph.nodes[i].name);
    EXPECT_EQ(*export_qdq(imported->graph, *imported->calib), *bytes);
  }
}

TEST(Export, RefusesForeignCalibrations) {
  const Graph graph = fuse(abpn(2, random_weights(1)));
  const Calib good = some_calib(graph);
  const auto spoilt = [&](auto change) {
    Calib calib = good;
    change(calib);
    return export_qdq(graph, calib).ok();
  };
  EXPECT_TRUE(spoilt([](Calib&) {}));
  EXPECT_FALSE(spoilt([](Calib& c) { c.tensors["no such tensor"] = {}; }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.weights["no such node"] = {}; }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.weights["shuffle"] = {}; }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.weights["conv1"].values.pop_back(); }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.weights["conv1"].scale.pop_back(); }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.weights["conv1"].bias.pop_back(); }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.tensors["input"].scale = 0; }));
  EXPECT_FALSE(spoilt([](Calib& c) { c.tensors["input"].zero = 256; }));
}

TEST(Export, RefusesWhatOpset17Lacks) {
  Graph graph = fuse(small_classifier(32, random_weights(1)));
  for (Node& node : graph.nodes)
    if (Pool* pool = node.as<Pool>()) pool->kind = Pool::Kind::average, pool->dilation_h = 2;
  EXPECT_THAT(export_onnx(graph).error().what, testing::HasSubstr("\"pool\""));
  graph.nodes.front().inputs.clear();
  EXPECT_FALSE(export_onnx(graph));
}

}  // namespace
}  // namespace fye
