#include "learn/export.h"

#include <fmt/format.h>

#include "base/file.h"
#include "export/onnx_export.h"
#include "graph/zoo.h"
#include "import/onnx_import.h"
#include "quant/calib_file.h"
#include "quant/ranges.h"

namespace fye {
namespace {

// Answers the zoo's questions, "<layer>.weight" and "<layer>.bias", from trained weights. `unit`: what a
// trained value of 1 is in the graph's range.
WeightSource source_of(const NetSpec& spec, const Weights& weights, float unit) {
  return [&spec, &weights, unit](const std::string& name, const Shape&) {
    const auto dot = name.rfind('.');
    torch::Tensor values;
    for (size_t i = 0; i < spec.layers.size(); ++i)
      if (spec.layers[i].name == name.substr(0, dot))
        values = name.substr(dot) == ".bias" ? weights.biases[i] * unit : weights.kernels[i];
    values = values.detach().to(torch::kFloat32).contiguous();
    const float* first = values.data_ptr<float>();
    return std::vector<float>(first, first + values.numel());
  };
}

WeightQuant weight_quant(const Graph& graph, const Conv& conv) {
  const auto& weight = graph.constants[conv.weight];
  auto quantised = quantise_weights(weight.values, int(weight.shape[0]), true);
  WeightQuant made{std::move(quantised.scale), std::move(quantised.values),
                   std::vector<float>(weight.shape[0])};
  if (conv.bias != kNone) made.bias = graph.constants[conv.bias].values;
  return made;
}

// The grid of what a node writes: a convolution's own name, the name of its fused sum, or EDSR's picture
// minus its mean.
std::string grid_name(const Node& node, const Grids& grids) {
  if (!node.as<Conv>()) return "shifted";
  return grids.contains(node.name) ? node.name : node.name + "+add";
}

}  // namespace

Graph graph_of(const NetSpec& spec, const Weights& weights) {
  if (spec.luma) return srcnn(spec.scale, source_of(spec, weights, kUnit / 255), spec.layers[1].kernel);
  const auto source = source_of(spec, weights, kUnit);
  return spec.net == "abpn" ? abpn(spec.scale, source) : edsr_baseline_x2(source);
}

Result<Calib> calib_of(const Graph& fused, const Grids& grids) {
  Calib calib;
  calib.graph_sha256 = fused.sha256;
  calib.method = "qat";
  const auto name_of = [&fused](TensorId id) { return fused.tensors[id].name; };
  for (const TensorId input : fused.inputs) calib.tensors[name_of(input)] = {1, 0};
  for (const auto& node : fused.nodes) {
    const auto output = name_of(node.output);
    if (const auto* conv = node.as<Conv>()) calib.weights[node.name] = weight_quant(fused, *conv);
    if (node.as<DepthToSpace>()) {
      calib.tensors[output] = calib.tensors[name_of(node.inputs[0])];
      continue;
    }
    const auto found = grids.find(grid_name(node, grids));
    if (found == grids.end())
      return bad_input(fmt::format("no grid for {}, which {} writes", output, node.name));
    calib.tensors[output] = found->second;
  }
  return calib;
}

Status export_checkpoint(const Checkpoint& checkpoint, const FormatLosses& losses,
                         const std::filesystem::path& folder) {
  const auto path = folder / "model.onnx";
  Graph graph = graph_of(checkpoint.spec, checkpoint.average);
  for (const auto& [format, loss] : losses) graph.metadata["fye.loss_db." + format] = fmt::format("{}", loss);
  const auto bytes = export_onnx(graph);
  if (!bytes) return bytes.error();
  if (auto written = write_file(path, *bytes); !written) return written;
  if (checkpoint.grids.empty()) return {};
  // Read back: the calibration belongs to the file's bytes and to the fused form that every other program
  // sees.
  const auto imported = import_onnx(path);
  if (!imported) return imported.error();
  const auto calib = calib_of(imported->graph, checkpoint.grids);
  if (!calib) return calib.error();
  return write_calib(folder / "calib.json", *calib);
}

}  // namespace fye
