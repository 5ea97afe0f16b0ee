// A run is a list of segments. Each tensor that crosses an edge lives once per (type, quant): the copy its producer wrote and
// converted copies for readers that store it otherwise. A tile walks the segments backwards to learn what each must cover,
// places every crossing copy and every segment's scratch in one arena, then walks forwards.
// Tested by execute/plain_test.cc: tiled equals untiled, any placement equals the dense reference or the simulation.
#include "execute/plain.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/buffer.h"
#include "kernels/convert/convert.h"
#include "processors/arena.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

// A stored form of a tensor that crosses a segment's edge. Form 0 of a graph input is the user's map.
struct Copy {
  TensorId tensor = kNone;
  Format format;
  int margin = 0;
  int from = kNone;      // copy it is converted from; kNone: written by `segment` (or the user)
  int segment = kNone;   // the segment that writes it; for a converted copy, the one before which it is made
  int last_reader = kNone;
};

struct Part {
  Segment segment;
  const Processor* processor;
  std::unique_ptr<Runnable> runnable;
  std::vector<int> in, out;  // copies
};

// What one tile looks like in memory.
struct Layout {
  std::vector<Map> copies;                 // laid out, not placed
  std::vector<std::vector<Region>> wanted; // per part: regions of its outputs
  ArenaPlan arena;                         // copies first, then one scratch a part
};

}  // namespace

struct Executor::State {
  const Graph* graph = nullptr;
  ExecuteOptions options;
  std::vector<Shape> shapes;
  std::vector<Part> parts;
  std::vector<Copy> copies;
  TensorId input = kNone, output = kNone;
  int final_copy = kNone;  // the stored form the user's output is made from
  int input_copy = kNone;  // the user's map
  int factor = 1;          // output pixels per input pixel, for tiles
  size_t arena_bytes = 0;
  Buffer arena;            // allocated by the first run, so that asking what a size would take costs nothing

  std::vector<Region> tiles() const {
    const MapSize out = map_size(shapes[size_t(output)]);
    const int edge = options.tile > 0 ? options.tile * factor : std::max(out.height, out.width);
    std::vector<Region> tiles;
    for (int y = 0; y < out.height; y += edge)
      for (int x = 0; x < out.width; x += edge)
        tiles.push_back({y, x, std::min(edge, out.height - y), std::min(edge, out.width - x)});
    return tiles;
  }

  Layout layout(const Region& tile) const {
    Layout plan{.copies = std::vector<Map>(copies.size()), .wanted = std::vector<std::vector<Region>>(parts.size())};
    std::vector<Region> demand(graph->tensors.size());
    auto want = [&](TensorId tensor, const Region& region) {
      Region& have = demand[size_t(tensor)];
      have = have.h == 0 ? region : cover(have, region);
    };
    want(output, tile);
    for (size_t p = parts.size(); p-- > 0;) {
      const Part& part = parts[p];
      for (TensorId tensor : part.segment.outputs) plan.wanted[p].push_back(demand[size_t(tensor)]);
      const auto needs = part.runnable->input_regions(plan.wanted[p]);
      for (size_t i = 0; i < needs.size(); ++i) want(part.segment.inputs[i], needs[i]);
    }
    std::vector<Lifetime> lifetimes;
    for (size_t c = 0; c < copies.size(); ++c) {
      const Copy& copy = copies[c];
      plan.copies[c] = map_layout(copy.format, demand[size_t(copy.tensor)], copy.margin);
      const bool users = int(c) == input_copy;
      lifetimes.push_back({users ? 0 : map_bytes(plan.copies[c]), std::max(0, copy.segment),
                           std::max(copy.segment, copy.last_reader)});
    }
    for (size_t p = 0; p < parts.size(); ++p)
      lifetimes.push_back({parts[p].runnable->scratch_bytes(plan.wanted[p]), int(p), int(p)});
    plan.arena = plan_arena(lifetimes);
    return plan;
  }

  void convert(const Map& from, const Map& to, ThreadPool& threads) const {
    const int rows = to.region.h;
    threads.parallel_for(rows, std::max(1, (rows + threads.size() - 1) / threads.size()), [&](int64_t b, int64_t e) {
      convert_rows(from, to, to.region.y + int(b), to.region.y + int(e), options.max);
    });
  }

  void run_tile(const Region& tile, const Map& in, const Map& out, ThreadPool& threads, const Observer* observer) {
    Layout plan = layout(tile);
    for (size_t c = 0; c < copies.size(); ++c)
      plan.copies[c] = int(c) == input_copy ? in : place_map(plan.copies[c], arena.data() + plan.arena.offset[c]);

    // The part of the user's output that this tile is; if the last segment stores just that, it writes there itself.
    Map target = out;
    target.region = tile;
    target.origin = out.origin + (tile.y - out.region.y) * out.row_bytes +
                    ptrdiff_t(tile.x - out.region.x) * out.pitch * size_of(out.type);
    const Copy& last = copies[size_t(final_copy)];
    const bool direct = last.from == kNone && last.last_reader <= last.segment && last.format.type == out.type &&
                        (last.format.type == DType::f32 || last.format.quant == out.quant);
    if (direct) plan.copies[size_t(final_copy)] = target;

    std::vector<Map> ins, outs;
    for (size_t p = 0; p < parts.size(); ++p) {
      const Part& part = parts[p];
      for (size_t c = 0; c < copies.size(); ++c)
        if (copies[c].from != kNone && copies[c].segment == int(p)) {
          convert(plan.copies[size_t(copies[c].from)], plan.copies[c], threads);
          finish(int(c), plan.copies[c]);
        }
      ins.clear();
      outs.clear();
      for (int c : part.in) ins.push_back(plan.copies[size_t(c)]);
      for (int c : part.out) outs.push_back(plan.copies[size_t(c)]);
      part.runnable->run(ins, outs, arena.data() + plan.arena.offset[copies.size() + p], threads, observer);
      for (int c : part.out) finish(c, plan.copies[size_t(c)]);
    }
    if (!direct) convert(plan.copies[size_t(final_copy)], target, threads);
  }

  void finish(int copy, const Map& map) const {
    if (map.margin == 0) return;
    const MapSize size = map_size(shapes[size_t(copies[size_t(copy)].tensor)]);
    fill_margin(map, size.height, size.width);
  }
};

namespace {

Status check_options(const Graph& graph, const ExecuteOptions& options, int& factor) {
  if (options.tile == 0) return {};
  for (const Node& node : graph.nodes)
    if (is_global(node))
      return usage_error(fmt::format("tiles are impossible: node \"{}\" ({}) needs the whole picture", node.name, op_name(node)),
                         "leave --tile out");
  const int least = std::max(8, 2 * halo(graph));
  if (options.tile < least)
    return usage_error(fmt::format("tile {} is too small for this network, which looks {} pixels around each",
                                   options.tile, halo(graph)),
                       fmt::format("--tile {} is the least", least));
  auto scale = upscale_factor(graph);
  if (!scale) return scale.error();
  factor = *scale;
  return {};
}

// Maximal runs of nodes on one processor, with the tensors at their edges.
std::vector<Part> cut(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement,
                      const std::vector<Shape>& shapes) {
  std::vector<Part> parts;
  std::vector<int> part_of(graph.nodes.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (parts.empty() || parts.back().processor != placement[n]) {
      parts.push_back({});
      parts.back().processor = placement[n];
      parts.back().segment.graph = &graph;
      parts.back().segment.calib = calib;
      parts.back().segment.shapes = shapes;
    }
    parts.back().segment.nodes.push_back(int(n));
    part_of[n] = int(parts.size()) - 1;
  }
  auto add = [](std::vector<TensorId>& list, TensorId tensor) {
    if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Segment& mine = parts[size_t(part_of[n])].segment;
    for (TensorId tensor : graph.nodes[n].inputs) {
      const int writer = graph.producer(tensor);
      if (writer != kNone && part_of[size_t(writer)] == part_of[n]) continue;
      add(mine.inputs, tensor);
      if (writer != kNone) add(parts[size_t(part_of[size_t(writer)])].segment.outputs, tensor);
    }
    if (graph.is_output(graph.nodes[n].output)) add(mine.outputs, graph.nodes[n].output);
  }
  return parts;
}

}  // namespace

Executor::Executor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor::~Executor() = default;

Result<Executor> Executor::prepare(const Graph& graph, const Calib* calib,
                                   std::span<const Processor* const> placement, const ExecuteOptions& options) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input(fmt::format("the network has {} inputs and {} outputs; one of each was expected",
                                 graph.inputs.size(), graph.outputs.size()));
  if (placement.size() != graph.nodes.size() || graph.nodes.empty())
    return internal_error(fmt::format("{} placements for {} nodes", placement.size(), graph.nodes.size()));
  auto state = std::make_unique<State>();
  State& s = *state;
  s.graph = &graph;
  s.options = options;
  s.input = graph.inputs[0];
  s.output = graph.outputs[0];

  const Shape& declared = graph.tensors[size_t(s.input)].shape;
  if (declared.size() != 4)
    return bad_input(fmt::format("the network's input \"{}\" has rank {}; a picture (rank 4) was expected",
                                 graph.tensors[size_t(s.input)].name, declared.size()));
  auto shapes = infer_shapes(graph, {{1, declared[1], options.height, options.width}});
  if (!shapes) return shapes.error();
  s.shapes = *std::move(shapes);
  if (auto status = check_options(graph, options, s.factor); !status) return status.error();

  s.parts = cut(graph, calib, placement, s.shapes);
  for (Part& part : s.parts) {
    auto runnable = part.processor->prepare(part.segment);
    if (!runnable) return runnable.error();
    part.runnable = *std::move(runnable);
  }

  // Stored forms. `form` finds or makes the copy of a tensor in a format, converted before segment `reader`.
  auto channels = [&](TensorId tensor) { return map_size(s.shapes[size_t(tensor)]).channels; };
  std::vector<int> source(graph.tensors.size(), kNone);  // the copy its producer wrote
  s.input_copy = 0;
  s.copies.push_back({.tensor = s.input, .format = {DType::f32, {}, channels(s.input)}});
  source[size_t(s.input)] = 0;
  auto form = [&](TensorId tensor, const Format& format, int margin, int reader) {
    const int origin = source[size_t(tensor)];
    for (size_t c = 0; c < s.copies.size(); ++c) {
      Copy& copy = s.copies[c];
      // The user's own map has no margin and any layout: it is always copied.
      if (int(c) == s.input_copy || copy.tensor != tensor || copy.format.type != format.type ||
          !(copy.format.quant == format.quant))
        continue;
      copy.margin = std::max(copy.margin, margin);
      copy.last_reader = std::max(copy.last_reader, reader);
      return int(c);
    }
    s.copies.push_back({.tensor = tensor, .format = format, .margin = margin, .from = origin, .segment = reader,
                        .last_reader = reader});
    s.copies[size_t(origin)].last_reader = std::max(s.copies[size_t(origin)].last_reader, reader);
    return int(s.copies.size()) - 1;
  };
  for (size_t p = 0; p < s.parts.size(); ++p) {
    Part& part = s.parts[p];
    const auto margins = part.runnable->input_margins();
    auto format_of = [&](TensorId tensor) -> Result<Format> {
      auto quant = part.processor->quant_of(graph, calib, tensor);
      if (!quant) return quant.error();
      return Format{storage(part.processor->numbers()), *quant, channels(tensor)};
    };
    for (size_t i = 0; i < part.segment.inputs.size(); ++i) {
      auto format = format_of(part.segment.inputs[i]);
      if (!format) return format.error();
      part.in.push_back(form(part.segment.inputs[i], *format, margins[i], int(p)));
    }
    for (TensorId tensor : part.segment.outputs) {
      auto format = format_of(tensor);
      if (!format) return format.error();
      source[size_t(tensor)] = int(s.copies.size());
      part.out.push_back(source[size_t(tensor)]);
      s.copies.push_back({.tensor = tensor, .format = *format, .segment = int(p)});
    }
  }
  if (source[size_t(s.output)] == kNone || s.output == s.input)
    return bad_input("the network's output is its input", "give a network with at least one node");
  s.final_copy = source[size_t(s.output)];
  // It must outlive everything if the user's output is converted from it at the end of the tile.
  s.copies[size_t(s.final_copy)].last_reader =
      std::max(s.copies[size_t(s.final_copy)].last_reader, s.copies[size_t(s.final_copy)].segment);

  for (const Region& tile : s.tiles()) s.arena_bytes = std::max(s.arena_bytes, s.layout(tile).arena.bytes);
  return Executor(std::move(state));
}

int Executor::out_height() const { return map_size(state_->shapes[size_t(state_->output)]).height; }
int Executor::out_width() const { return map_size(state_->shapes[size_t(state_->output)]).width; }
int Executor::out_channels() const { return map_size(state_->shapes[size_t(state_->output)]).channels; }
size_t Executor::arena_bytes() const { return state_->arena_bytes; }
int Executor::tile_count() const { return int(state_->tiles().size()); }

Status Executor::run(const Map& in, const Map& out, ThreadPool& threads, const Observer* observer) {
  State& s = *state_;
  auto fits = [&](const Map& map, TensorId tensor) {
    const MapSize size = map_size(s.shapes[size_t(tensor)]);
    return map.region == Region{0, 0, size.height, size.width} && map.channels == size.channels;
  };
  if (!fits(in, s.input) || !fits(out, s.output))
    return internal_error("the maps given to Executor::run are not of the size it was prepared for");
  if (s.arena.size() < s.arena_bytes) {
    try {
      s.arena = Buffer(s.arena_bytes);
    } catch (const std::bad_alloc&) {
      return resource_error(fmt::format("{} MB for intermediate maps can't be had", s.arena_bytes >> 20),
                            "give a smaller --tile or --mem");
    }
  }
  s.copies[size_t(s.input_copy)].format = {in.type, in.quant, in.channels};
  for (const Region& tile : s.tiles()) s.run_tile(tile, in, out, threads, observer);
  return {};
}

std::vector<std::string> Executor::explain() const {
  const State& s = *state_;
  std::vector<std::string> lines;
  for (size_t p = 0; p < s.parts.size(); ++p) {
    for (const Copy& copy : s.copies)
      if (copy.from != kNone && copy.segment == int(p))
        lines.push_back(fmt::format("hand-over {} -> {}", s.graph->tensors[size_t(copy.tensor)].name,
                                    name(copy.format.type)));
    for (const std::string& line : s.parts[p].runnable->explain())
      lines.push_back(fmt::format("{} {}", s.parts[p].processor->name(), line));
  }
  return lines;
}

std::vector<const Processor*> everywhere(const Graph& graph, const Processor* processor) {
  return std::vector<const Processor*>(graph.nodes.size(), processor);
}

}  // namespace fye
