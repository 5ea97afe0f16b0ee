// Tested by execute/stepper_test.cc: equal to the executor for any placement, and detours equal to a node
// that changes form and does nothing.
#include "execute/stepper.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/buffer.h"
#include "kernels/convert/convert.h"
#include "processors/segment_maps.h"
#include "processors/split_rows.h"

namespace fye {
namespace {

struct OwnMap {
  Map map;
  Buffer memory;
};

// A tensor as one run has it: as written, and as converted for readers.
struct Value {
  Stored stored;
  std::shared_ptr<OwnMap> map;
  std::vector<std::pair<Stored, std::shared_ptr<OwnMap>>> converted;
};

}  // namespace

struct Stepper::State {
  const Graph* graph;
  const Calib* calib;
  const Processor* base;
  ThreadPool* threads;
  Isa max;
  std::vector<Shape> shapes;
  std::vector<int> margin;    // by tensor
  std::vector<Value> values;  // by tensor, on the base processor
  std::map<std::pair<int, const Processor*>, std::unique_ptr<Runnable>> runnables;
  Buffer scratch;
  OwnMap kept;  // the last output

  std::shared_ptr<OwnMap> make(TensorId tensor, const Stored& stored) const {
    const MapSize size = map_size(shapes[size_t(tensor)]);
    const Map layout = map_layout({stored.type, stored.quant, size.channels}, {0, 0, size.height, size.width},
                                  margin[size_t(tensor)]);
    auto own = std::make_shared<OwnMap>();
    own->memory = Buffer(map_bytes(layout));
    own->map = place_map(layout, own->memory.data());
    return own;
  }

  void finish(TensorId tensor, const Map& map) const {
    const MapSize size = map_size(shapes[size_t(tensor)]);
    if (map.margin > 0) fill_margin(map, size.height, size.width);
  }

  void convert(const Map& from, const Map& to) const {
    split_rows(0, to.region.h, {}, 2, *threads, [&](int y0, int y1) { convert_rows(from, to, y0, y1, max); });
  }

  // The value in a form, converted once.
  const Map& in_form(TensorId tensor, Value& value, const Stored& wanted) const {
    if (value.stored == wanted) return value.map->map;
    for (const auto& [form, map] : value.converted)
      if (form == wanted) return map->map;
    auto made = make(tensor, wanted);
    convert(value.map->map, made->map);
    finish(tensor, made->map);
    value.converted.emplace_back(wanted, made);
    return value.converted.back().second->map;
  }

  Result<const Runnable*> runnable(int node, const Processor* processor) {
    auto& entry = runnables[{node, processor}];
    if (!entry) {
      const Node& n = graph->nodes[size_t(node)];
      Segment segment{.graph = graph,
                      .calib = calib,
                      .nodes = {node},
                      .inputs = {},
                      .outputs = {n.output},
                      .shapes = shapes};
      for (TensorId tensor : n.inputs)
        if (std::find(segment.inputs.begin(), segment.inputs.end(), tensor) == segment.inputs.end())
          segment.inputs.push_back(tensor);
      auto made = processor->prepare(segment);
      if (!made) return made.error();
      entry = *std::move(made);
    }
    return entry.get();
  }

  // Node on `processor`; `input(slot, form)` gives its maps.
  template <class Input>
  Result<Value> step(int node, const Processor* processor, const Input& input) {
    const Node& n = graph->nodes[size_t(node)];
    const auto run = runnable(node, processor);
    if (!run) return run.error();
    const auto stored = processor->writes(*graph, calib, node);
    if (!stored) return stored.error();
    std::vector<Map> ins;
    for (size_t i = 0; i < n.inputs.size(); ++i) {
      if (std::find(n.inputs.begin(), n.inputs.begin() + ptrdiff_t(i), n.inputs[i]) !=
          n.inputs.begin() + ptrdiff_t(i))
        continue;
      const auto wanted = processor->reads(*graph, calib, node, int(i));
      if (!wanted) return wanted.error();
      ins.push_back(input(i, *wanted));
    }
    Value value{*stored, make(n.output, *stored), {}};
    const Map outs[] = {value.map->map};
    const Region regions[] = {outs[0].region};
    const size_t bytes = (*run)->scratch_bytes(regions);
    if (scratch.size() < bytes) scratch = Buffer(bytes);
    (*run)->run(ins, outs, scratch.data(), *threads, nullptr);
    finish(n.output, value.map->map);
    return value;
  }
};

Stepper::Stepper(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stepper::Stepper(Stepper&&) noexcept = default;
Stepper::~Stepper() = default;

Result<Stepper> Stepper::create(const Graph& graph, const Calib* calib, const Processor* base, const Map& in,
                                ThreadPool& threads, Isa max) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1 || graph.nodes.empty())
    return bad_input("only networks with one input and one output can be stepped through");
  auto state = std::make_unique<State>();
  State& s = *state;
  s.graph = &graph;
  s.calib = calib;
  s.base = base;
  s.threads = &threads;
  s.max = max;
  auto shapes = infer_shapes(graph, {{1, in.channels, in.region.h, in.region.w}});
  if (!shapes) return shapes.error();
  s.shapes = *std::move(shapes);
  s.margin.resize(graph.tensors.size());
  for (const Node& node : graph.nodes)
    s.margin[size_t(node.inputs[0])] = std::max(s.margin[size_t(node.inputs[0])], margin_of(node));
  s.values.resize(graph.tensors.size());
  Value& input = s.values[size_t(graph.inputs[0])];
  input = {{in.type, in.quant}, s.make(graph.inputs[0], {in.type, in.quant}), {}};
  s.convert(in, input.map->map);
  s.finish(graph.inputs[0], input.map->map);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    auto value = s.step(int(n), base, [&](size_t slot, const Stored& wanted) {
      return s.in_form(node.inputs[slot], s.values[size_t(node.inputs[slot])], wanted);
    });
    if (!value) return value.error();
    s.values[size_t(node.output)] = *std::move(value);
  }
  return Stepper(std::move(state));
}

const Map& Stepper::base_output() const { return state_->values[size_t(state_->graph->outputs[0])].map->map; }

Result<Map> Stepper::output(std::span<const Processor* const> placement, std::span<const Detour> detours) {
  State& s = *state_;
  const Graph& graph = *s.graph;
  if (placement.size() != graph.nodes.size())
    return internal_error(fmt::format("{} placements for {} nodes", placement.size(), graph.nodes.size()));
  std::vector<std::optional<Value>> changed(graph.tensors.size());
  // Detoured maps by (detour, form wanted); they live until the end of the call.
  std::vector<std::shared_ptr<OwnMap>> detoured;
  const auto detour_of = [&](int node, TensorId tensor) -> const Detour* {
    for (const Detour& detour : detours)
      if (detour.tensor == tensor &&
          (detour.readers.empty() ||
           std::find(detour.readers.begin(), detour.readers.end(), node) != detour.readers.end()))
        return &detour;
    return nullptr;
  };
  const auto value_of = [&](TensorId tensor) -> Value& {
    return changed[size_t(tensor)] ? *changed[size_t(tensor)] : s.values[size_t(tensor)];
  };
  const auto through = [&](const Detour& detour, const Stored& wanted) -> Map {
    const Map& formed = s.in_form(detour.tensor, value_of(detour.tensor), detour.form);
    if (wanted == detour.form) return formed;
    detoured.push_back(s.make(detour.tensor, wanted));
    s.convert(formed, detoured.back()->map);
    s.finish(detour.tensor, detoured.back()->map);
    return detoured.back()->map;
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    bool differs = placement[n] != s.base;
    for (TensorId tensor : node.inputs)
      differs = differs || changed[size_t(tensor)] || detour_of(int(n), tensor);
    if (!differs) continue;
    auto value = s.step(int(n), placement[n], [&](size_t slot, const Stored& wanted) -> Map {
      const TensorId tensor = node.inputs[slot];
      if (const Detour* detour = detour_of(int(n), tensor)) return through(*detour, wanted);
      return s.in_form(tensor, value_of(tensor), wanted);
    });
    if (!value) return value.error();
    changed[size_t(node.output)] = *std::move(value);
  }
  const TensorId out = graph.outputs[0];
  // The host reads the output too: a detour of it reaches the caller.
  for (const Detour& detour : detours)
    if (detour.tensor == out && detour.readers.empty()) {
      detoured.push_back(s.make(out, detour.form));
      s.convert(value_of(out).map->map, detoured.back()->map);
      std::swap(s.kept, *detoured.back());
      return s.kept.map;
    }
  if (!changed[size_t(out)]) return base_output();
  s.kept = std::move(*changed[size_t(out)]->map);
  return s.kept.map;
}

}  // namespace fye
