// Writes graphs for oracle/onnx_roundtrip_oracle.py: the known networks and random ones, as made and as fused.
//
// usage: fye_graph_tool FOLDER COUNT
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "export/onnx_export.h"
#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

bool write(const std::filesystem::path& folder, const std::string& name, const Graph& graph) {
  const auto bytes = export_onnx(graph);
  const auto written = bytes ? write_file(folder / (name + ".onnx"), *bytes) : Status(bytes.error());
  if (!written) fmt::print(stderr, "{}: {}\n", name, written.error().text());
  return written.ok();
}

int run(const std::filesystem::path& folder, int count) {
  const WeightSource weights = random_weights(1);
  bool good = true;
  const auto both = [&](const std::string& name, const Graph& graph) {
    good = write(folder, name, graph) && write(folder, name + ".fused", fuse(graph)) && good;
  };
  both("abpn", abpn(3, weights));
  both("srcnn", srcnn(2, weights));
  both("srvgg", srvgg(2, 8, 2, weights));
  both("classifier", small_classifier(48, weights));
  for (int i = 0; i < count; ++i)
    both(fmt::format("random{}", i), random_graph(static_cast<uint64_t>(i), {.nodes = 10, .global = i % 4 == 0}));
  return good ? 0 : 1;
}

}  // namespace
}  // namespace fye

int main(int argc, char** argv) {
  if (argc == 3) return fye::run(argv[1], std::atoi(argv[2]));
  fmt::print(stderr, "usage: fye_graph_tool FOLDER COUNT\n");
  return 1;
}
