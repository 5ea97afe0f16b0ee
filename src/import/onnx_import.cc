// The way of a model: bytes, parse_model (protobuf under limits), Importer (initializers, inputs, nodes in
// order, outputs: the float graph, with quantisation noted aside), fuse(), fused_calib. Tested by
// onnx_import_test.cc and hostile_test.cc.
#include "import/onnx_import.h"

#include <fmt/format.h>

#include "base/file.h"
#include "graph/passes/passes.h"
#include "import/fused_calib.h"
#include "import/importer.h"
#include "import/parse_model.h"
#include "import/sha256.h"

namespace fye {
namespace {

// Fields a node costs at most in an honest file: names, attributes, its initializers.
constexpr int64_t kFieldsPerNode = 100;

}  // namespace

Result<Imported> import_onnx_bytes(std::string_view bytes, std::string_view name,
                                   const std::filesystem::path& folder, const ImportLimits& limits) {
  if (static_cast<int64_t>(bytes.size()) > limits.file_bytes)
    return bad_input(
        fmt::format("{}: {} bytes, more than the {} allowed", name, bytes.size(), limits.file_bytes));
  const auto model = parse_model(bytes, name, kFieldsPerNode * limits.nodes);
  if (!model) return model.error();
  Importer importer(name, folder, limits);
  auto imported = importer.run(*model);
  if (!imported) return imported;

  spread_quants(imported->graph, importer.quants);
  std::map<std::string, Quant> quants;
  for (const auto& [tensor, quant] : importer.quants) quants[imported->graph.tensors[tensor].name] = quant;
  imported->graph = fuse(std::move(imported->graph));
  imported->graph.sha256 = sha256_hex(bytes);
  auto calib = fused_calib(imported->graph, quants, importer.integers);
  if (!calib) return importer.wrong(calib.error().what);
  imported->calib = *std::move(calib);
  if (imported->calib) imported->calib->graph_sha256 = imported->graph.sha256;
  return imported;
}

Result<Imported> import_onnx(const std::filesystem::path& path, const ImportLimits& limits) {
  const auto bytes = read_file(path, limits.file_bytes);
  if (!bytes) return bytes.error();
  const auto folder = path.parent_path();
  return import_onnx_bytes(*bytes, path.string(), folder.empty() ? "." : folder, limits);
}

}  // namespace fye
