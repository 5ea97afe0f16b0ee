#include "execute/calibrate_grids.h"

#include <algorithm>
#include <cmath>

#include "graph/trunk.h"

namespace fye {
namespace {

bool moves_bytes(const Node& node) {
  if (node.as<DepthToSpace>()) return true;
  if (const Resize* resize = node.as<Resize>()) return resize->kind == Resize::Kind::nearest;
  if (const Pool* pool = node.as<Pool>()) return pool->kind == Pool::Kind::max;
  return false;
}

float real(const Quant& quant, int level) { return quant.scale * float(level - quant.zero); }

// A clip that cuts nothing that `grid` can hold: on that grid saturation does its work.
bool is_saturation(const Node& node, const Quant& grid) {
  const Elementwise* op = node.as<Elementwise>();
  if (!op || op->act.kind != Activation::Kind::clip) return false;
  const float slack = grid.scale / 2;
  return op->act.lo <= real(grid, 0) + slack && op->act.hi >= real(grid, 255) - slack;
}

// Sources that reach the network's output through moved bytes and saturating clips, read by nothing else.
std::vector<TensorId> on_the_way_out(const Graph& graph, std::span<const TensorId> source,
                                     const Quant& picture) {
  std::vector<TensorId> found;
  for (const TensorId output : graph.outputs) {
    if (graph.tensors[size_t(output)].shape.size() != 4) continue;
    TensorId at = source[size_t(output)];
    found.push_back(at);
    while (true) {
      const int producer = graph.producer(at);
      if (producer == kNone || !is_saturation(graph.nodes[size_t(producer)], picture)) break;
      const TensorId before = graph.nodes[size_t(producer)].inputs[0];
      if (graph.consumers(before).size() > 1 || graph.is_output(before)) break;
      at = source[size_t(before)];
      found.push_back(at);
    }
  }
  return found;
}

// True if values between lo and hi lose next to nothing by moving from `own` to `shared`: rounding error
// grows with the square of the scale (5 % wider: 10 % more), and nothing may be cut that was not cut before.
bool close_enough(const Quant& own, const Quant& shared) {
  return shared.scale <= own.scale * 1.05f && real(shared, 0) <= real(own, 0) + own.scale / 2 &&
         real(shared, 255) >= real(own, 255) - own.scale / 2;
}

}  // namespace

std::vector<TensorId> sources_of_bytes(const Graph& graph) {
  std::vector<TensorId> source(graph.tensors.size());
  for (size_t t = 0; t < source.size(); ++t) source[t] = TensorId(t);
  for (const Node& node : graph.nodes)
    if (moves_bytes(node)) source[size_t(node.output)] = source[size_t(node.inputs[0])];
  return source;
}

std::map<std::string, Quant> choose_grids(const Graph& graph, std::span<const RangeObserver> seen,
                                          CalibrationMethod method, const Quant& input,
                                          const std::optional<Quant>& picture) {
  const std::vector<TensorId> source = sources_of_bytes(graph);
  std::vector<Quant> grid(graph.tensors.size());
  std::vector<bool> fixed(graph.tensors.size());
  const auto fix = [&](TensorId tensor, const Quant& quant) {
    if (fixed[size_t(tensor)]) return;
    grid[size_t(tensor)] = quant;
    fixed[size_t(tensor)] = true;
  };
  for (const TensorId tensor : graph.inputs) fix(tensor, input);
  const bool honest = method == CalibrationMethod::honest;
  if (honest && picture)
    for (const TensorId tensor : on_the_way_out(graph, source, *picture)) fix(tensor, *picture);
  for (size_t t = 0; t < grid.size(); ++t) {
    if (source[t] != TensorId(t) || fixed[t]) continue;
    grid[t] = honest ? quant_for_least_error(seen[t]) : quant_for_range(seen[t].min(), seen[t].max());
  }
  // From the last concatenation back: in a dense block the widest one decides.
  if (honest) {
    for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
      if (!node->as<Concat>()) continue;
      const Quant shared = grid[size_t(source[size_t(node->output)])];
      for (const TensorId in : node->inputs) {
        const size_t from = size_t(source[size_t(in)]);
        if (fixed[from] || !close_enough(grid[from], shared)) continue;
        fix(TensorId(from), shared);
      }
    }
  }
  std::map<std::string, Quant> by_name;
  for (size_t t = 0; t < grid.size(); ++t) by_name[graph.tensors[t].name] = grid[size_t(source[t])];
  return by_name;
}

std::map<std::string, float> choose_scale16(const Graph& graph, std::span<const RangeObserver> seen,
                                            const std::map<std::string, Quant>& grids) {
  const Trunks trunks = find_trunks(graph, grids);
  const std::vector<TensorId> source = sources_of_bytes(graph);
  std::vector<float> most(size_t(trunks.count));
  for (size_t t = 0; t < trunks.of.size(); ++t) {
    if (trunks.of[t] == kNone) continue;
    const RangeObserver& range = seen[size_t(source[t])];
    float& its = most[size_t(trunks.of[t])];
    its = std::max({its, std::abs(range.min()), std::abs(range.max())});
  }
  std::map<std::string, float> by_name;
  for (size_t t = 0; t < trunks.of.size(); ++t)
    if (trunks.of[t] != kNone)
      if (const float scale = most[size_t(trunks.of[t])] / 32767; scale > 0)
        by_name[graph.tensors[t].name] = scale;
  return by_name;
}

}  // namespace fye
