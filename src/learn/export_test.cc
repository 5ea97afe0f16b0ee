#include "learn/export.h"

#include <gtest/gtest.h>

#include "graph/passes/passes.h"

namespace fye {
namespace {

Grids grids_for(const NetSpec& spec) {
  Grids grids;
  Arithmetic arithmetic;
  const auto weights = initial_weights(spec, 1);
  arithmetic = float_arithmetic(spec, weights);
  arithmetic.store = [&grids](const std::string& name, const torch::Tensor& x) {
    grids[name] = {0.25f + 0.01f * float(grids.size()), int(grids.size())};
    return x;
  };
  forward(spec, arithmetic, torch::zeros({1, 3, 8, 8}));
  grids["input"] = grids[output_name(spec)] = {1, 0};
  return grids;
}

class ExportedNets : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(ExportedNets, GraphHoldsTheWeightsInPixelUnits) {
  const auto spec = *net_spec(GetParam().first, GetParam().second);
  auto weights = initial_weights(spec, 3);
  weights.biases[0].fill_(0.25f);
  const auto graph = graph_of(spec, weights);
  ASSERT_TRUE(validate(graph).ok());
  EXPECT_EQ(graph.metadata.at("fye.scale"), std::to_string(spec.scale));
  EXPECT_EQ(graph.metadata.at("fye.range"), "0..255");
  size_t convs = 0;
  for (const auto& node : graph.nodes)
    if (const auto* conv = node.as<Conv>()) {
      const auto& layer = spec.layers[convs++];
      EXPECT_EQ(node.name, layer.name);
      EXPECT_EQ(graph.constants[conv->weight].shape, (Shape{layer.out, layer.in, 3, 3}));
    }
  EXPECT_EQ(convs, spec.layers.size());
  const auto* first = [&] {
    for (const auto& node : graph.nodes)
      if (const auto* conv = node.as<Conv>()) return conv;
    return static_cast<const Conv*>(nullptr);
  }();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(graph.constants[first->bias].values[0], 0.25f * kUnit);
}

TEST_P(ExportedNets, CalibNamesEveryTensorAndConvolution) {
  const auto spec = *net_spec(GetParam().first, GetParam().second);
  const auto weights = initial_weights(spec, 3);
  const auto fused = fuse(graph_of(spec, weights));
  const auto grids = grids_for(spec);
  const auto calib = calib_of(fused, grids);
  ASSERT_TRUE(calib.ok()) << calib.error().text();
  EXPECT_EQ(calib->weights.size(), spec.layers.size());
  for (const auto& node : fused.nodes) {
    EXPECT_TRUE(calib->tensors.contains(fused.tensors[node.output].name)) << node.name;
    if (!node.as<Conv>()) continue;
    const auto expected = grids.contains(node.name) ? grids.at(node.name) : grids.at(node.name + "+add");
    EXPECT_EQ(calib->tensors.at(fused.tensors[node.output].name), expected) << node.name;
  }
  EXPECT_EQ(calib->tensors.at(fused.tensors[fused.outputs[0]].name), (Quant{1, 0}));
}

TEST_P(ExportedNets, GridsOfAnotherNetAreRefused) {
  const auto spec = *net_spec(GetParam().first, GetParam().second);
  auto grids = grids_for(spec);
  grids.erase(spec.layers[0].name);
  EXPECT_FALSE(calib_of(fuse(graph_of(spec, initial_weights(spec, 3))), grids).ok());
}

INSTANTIATE_TEST_SUITE_P(All, ExportedNets,
                         ::testing::Values(std::pair("abpn", 2), std::pair("abpn", 3), std::pair("abpn", 4),
                                           std::pair("edsr-baseline", 2)));

}  // namespace
}  // namespace fye
