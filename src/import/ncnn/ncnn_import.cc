// The way of a model: text to layers (param_file), layers one by one to nodes (layers), each taking its
// weights from the front of what is left of the .bin, then fuse(). Tested by ncnn_import_test.cc and, against
// ncnn itself, by tests/oracle/ncnn_oracle.py.
#include "import/ncnn/ncnn_import.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "graph/passes/passes.h"
#include "import/ncnn/layers.h"
#include "import/sha256.h"

namespace fye {
namespace {

const NcnnRow* find_row(std::string_view type) {
  for (const NcnnRow& row : ncnn_table())
    if (row.type == type) return &row;
  return nullptr;
}

std::string known_layers() {
  std::string names;
  for (const NcnnRow& row : ncnn_table()) names += (names.empty() ? "" : ", ") + std::string(row.type);
  return names;
}

// ncnn does not say how many channels the input has; the first convolution that reads it does.
int64_t input_channels(const std::vector<NcnnLayer>& layers) {
  std::set<std::string> names;
  for (const NcnnLayer& layer : layers) {
    const bool reads = std::ranges::any_of(layer.in, [&](const auto& blob) { return names.contains(blob); });
    if (layer.type == "Input" || (reads && (layer.type == "Split" || layer.type == "Noop")))
      names.insert(layer.out.begin(), layer.out.end());
    else if (const int64_t channels = reads ? channels_wanted(layer) : 0; channels > 0)
      return channels;
  }
  return 0;
}

// Blobs that nobody reads are what the network gives.
Status find_outputs(const std::vector<NcnnLayer>& layers, NcnnModel& model) {
  std::set<std::string> read;
  for (const NcnnLayer& layer : layers) read.insert(layer.in.begin(), layer.in.end());
  for (const NcnnLayer& layer : layers)
    for (const std::string& blob : layer.out) {
      if (read.contains(blob)) continue;
      const TensorId tensor = model.blobs.at(blob);
      const bool input = std::ranges::count(model.graph.inputs, tensor) > 0;
      if (input || model.graph.is_output(tensor))
        return bad_input(
            fmt::format("{}: output \"{}\" is another name for a blob that is there", model.name, blob));
      model.graph.outputs.push_back(tensor);
    }
  if (model.graph.outputs.empty()) return bad_input(fmt::format("{}: has no output", model.name));
  return {};
}

}  // namespace

Result<Imported> import_ncnn_bytes(std::string_view param, std::string_view bin, std::string_view name,
                                   const ImportLimits& limits) {
  const auto layers = parse_ncnn_param(param, limits);
  if (!layers) return bad_input(fmt::format("{}: {}", name, layers.error().what), layers.error().hint);
  for (const NcnnLayer& layer : *layers)
    if (!find_row(layer.type))
      return bad_input(fmt::format("{}: layer \"{}\": unknown type {}; fye knows {}", name, layer.name,
                                   layer.type, known_layers()));
  NcnnModel model{std::string(name), limits, NcnnWeights(bin), {}, {}, {}, input_channels(*layers)};
  for (const NcnnLayer& layer : *layers) {
    LayerReader reader(model, layer);
    find_row(layer.type)->read(reader);
    if (auto status = reader.status(); !status) return status.error();
  }
  if (model.graph.inputs.empty()) return bad_input(fmt::format("{}: has no input", name));
  if (model.weights.left() > 0)
    return bad_input(
        fmt::format("{}: the .bin file has {} bytes more than the layers need", name, model.weights.left()),
        "is it the .bin of this .param?");
  if (auto status = find_outputs(*layers, model); !status) return status.error();
  if (auto status = validate(model.graph); !status)
    return bad_input(fmt::format("{}: {}", name, status.error().what));
  Imported imported{fuse(std::move(model.graph)), std::nullopt};
  imported.graph.sha256 = sha256_hex(std::string(param) + std::string(bin));
  return imported;
}

Result<Imported> import_ncnn(const std::filesystem::path& path, const ImportLimits& limits) {
  const auto param = read_file(path, limits.file_bytes);
  if (!param) return param.error();
  auto beside = path;
  beside.replace_extension(".bin");
  const auto bin = read_file(beside, limits.file_bytes);
  if (!bin)
    return bad_input(fmt::format("{}: its weights: {}", path.string(), bin.error().what),
                     "keep NAME.param and NAME.bin in one folder");
  return import_ncnn_bytes(*param, *bin, path.string(), limits);
}

}  // namespace fye
