// A run is a list of segments (execute/parts.h). It goes by bands (execute/bands.h), or by tiles: a tile
// walks the segments backwards to learn what each must cover, places every crossing copy and every segment's
// scratch in one arena, then walks forwards. Tested by execute/plain_test.cc: tiled equals untiled, any
// placement equals the dense reference or the simulation.
#include "execute/plain.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/buffer.h"
#include "execute/bands.h"
#include "execute/parts.h"
#include "kernels/convert/convert.h"
#include "processors/arena.h"

namespace fye {
namespace {

// What one tile looks like in memory.
struct Layout {
  std::vector<Map> copies;                  // laid out, not placed
  std::vector<std::vector<Region>> wanted;  // per part: regions of its outputs
  ArenaPlan arena;                          // copies first, then one scratch a part
};

}  // namespace

struct Executor::State {
  ExecuteOptions options;
  Parts net;
  std::optional<Bands> bands;  // if it goes by bands
  int factor = 1;              // output pixels per input pixel, for tiles
  size_t arena_bytes = 0;
  Buffer arena;  // allocated by the first run, so that asking what a size would take costs nothing

  std::vector<Region> tiles() const {
    const MapSize out = net.size_of(net.output);
    const int edge = options.tile > 0 ? options.tile * factor : std::max(out.height, out.width);
    std::vector<Region> tiles;
    for (int y = 0; y < out.height; y += edge)
      for (int x = 0; x < out.width; x += edge)
        tiles.push_back({y, x, std::min(edge, out.height - y), std::min(edge, out.width - x)});
    return tiles;
  }

  Layout layout(const Region& tile) const {
    Layout plan{.copies = std::vector<Map>(net.copies.size()),
                .wanted = std::vector<std::vector<Region>>(net.parts.size())};
    std::vector<Region> demand(net.graph->tensors.size());
    auto want = [&](TensorId tensor, const Region& region) {
      Region& have = demand[size_t(tensor)];
      have = have.h == 0 ? region : cover(have, region);
    };
    want(net.output, tile);
    for (size_t p = net.parts.size(); p-- > 0;) {
      const Part& part = net.parts[p];
      for (TensorId tensor : part.segment.outputs) plan.wanted[p].push_back(demand[size_t(tensor)]);
      const auto needs = part.runnable->input_regions(plan.wanted[p]);
      for (size_t i = 0; i < needs.size(); ++i) want(part.segment.inputs[i], needs[i]);
    }
    std::vector<Lifetime> lifetimes;
    for (size_t c = 0; c < net.copies.size(); ++c) {
      const Copy& copy = net.copies[c];
      plan.copies[c] = map_layout(copy.format, demand[size_t(copy.tensor)], copy.margin);
      const bool users = int(c) == net.input_copy;
      lifetimes.push_back({users ? 0 : map_bytes(plan.copies[c]), std::max(0, copy.segment),
                           std::max(copy.segment, copy.last_reader)});
    }
    for (size_t p = 0; p < net.parts.size(); ++p)
      lifetimes.push_back({net.parts[p].runnable->scratch_bytes(plan.wanted[p]), int(p), int(p)});
    plan.arena = plan_arena(lifetimes);
    return plan;
  }

  void convert(const Map& from, const Map& to, ThreadPool& threads) const {
    const int rows = to.region.h;
    threads.parallel_for(rows, std::max(1, (rows + threads.size() - 1) / threads.size()),
                         [&](int64_t b, int64_t e) {
                           convert_rows(from, to, to.region.y + int(b), to.region.y + int(e), options.max);
                         });
  }

  void run_tile(const Region& tile, const Map& in, const Map& out, ThreadPool& threads,
                const Observer* observer, const StepDone* done) {
    const auto converted = [&](int copy) {
      if (done) (*done)(kNone, net.copies[size_t(copy)].tensor);
    };
    const Observer both = [&](int node, const Map& map) {
      if (observer) (*observer)(node, map);
      if (done) (*done)(node, net.graph->nodes[size_t(node)].output);
    };
    const Observer* watch = done ? &both : observer;
    Layout plan = layout(tile);
    for (size_t c = 0; c < net.copies.size(); ++c)
      plan.copies[c] =
          int(c) == net.input_copy ? in : place_map(plan.copies[c], arena.data() + plan.arena.offset[c]);

    // The part of the user's output that this tile is; if the last segment stores just that, it writes there
    // itself.
    const Map target = part_of(out, tile);
    const bool direct = net.ends_in(out);
    if (direct) plan.copies[size_t(net.final_copy)] = target;

    std::vector<Map> ins, outs;
    for (size_t p = 0; p < net.parts.size(); ++p) {
      const Part& part = net.parts[p];
      for (size_t c = 0; c < net.copies.size(); ++c)
        if (net.copies[c].from != kNone && net.copies[c].segment == int(p)) {
          convert(plan.copies[size_t(net.copies[c].from)], plan.copies[c], threads);
          finish(int(c), plan.copies[c]);
          converted(int(c));
        }
      ins.clear();
      outs.clear();
      for (int c : part.in) ins.push_back(plan.copies[size_t(c)]);
      for (int c : part.out) outs.push_back(plan.copies[size_t(c)]);
      part.runnable->run(ins, outs, arena.data() + plan.arena.offset[net.copies.size() + p], threads, watch);
      for (int c : part.out) finish(c, plan.copies[size_t(c)]);
    }
    if (direct) return;
    convert(plan.copies[size_t(net.final_copy)], target, threads);
    converted(net.final_copy);
  }

  void finish(int copy, const Map& map) const {
    if (map.margin == 0) return;
    const MapSize size = net.size_of(net.copies[size_t(copy)].tensor);
    fill_margin(map, size.height, size.width);
  }
};

namespace {

Status check_options(const Graph& graph, const ExecuteOptions& options, int& factor) {
  if (options.tile == 0) return {};
  for (const Node& node : graph.nodes)
    if (is_global(node))
      return usage_error(fmt::format("tiles are impossible: node \"{}\" ({}) needs the whole picture",
                                     node.name, op_name(node)),
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

// Higher bands than these gain nothing (docs/results.md).
constexpr int kBands[] = {64, 48, 32, 24, 16, 8, 4, 2};

std::optional<Bands> choose_bands(const Parts& net, const ExecuteOptions& options) {
  for (const int rows : kBands) {
    if (rows <= options.band || options.band_bytes == 0) continue;
    auto bands = Bands::plan(net, rows);
    if (!bands || bands->bytes() <= options.band_bytes) return bands;
  }
  return Bands::plan(net, options.band);
}

}  // namespace

Executor::Executor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor::~Executor() = default;

Result<Executor> Executor::prepare(const Graph& graph, const Calib* calib,
                                   std::span<const Processor* const> placement,
                                   const ExecuteOptions& options) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input(fmt::format("the network has {} inputs and {} outputs; one of each was expected",
                                 graph.inputs.size(), graph.outputs.size()));
  if (placement.size() != graph.nodes.size() || graph.nodes.empty())
    return internal_error(fmt::format("{} placements for {} nodes", placement.size(), graph.nodes.size()));
  auto state = std::make_unique<State>();
  State& s = *state;
  s.options = options;
  const Tensor& input = graph.tensors[size_t(graph.inputs[0])];
  if (input.shape.size() != 4)
    return bad_input(fmt::format("the network's input \"{}\" has rank {}; a picture (rank 4) was expected",
                                 input.name, input.shape.size()));
  auto shapes = infer_shapes(graph, {{1, input.shape[1], options.height, options.width}});
  if (!shapes) return shapes.error();
  if (auto status = check_options(graph, options, s.factor); !status) return status.error();
  auto net = cut_into_parts(graph, calib, placement, *std::move(shapes));
  if (!net) return net.error();
  s.net = *std::move(net);
  if (options.band > 0 && options.tile == 0) s.bands = choose_bands(s.net, options);
  const auto by_tiles = [&s] {
    size_t bytes = 0;
    for (const Region& tile : s.tiles()) bytes = std::max(bytes, s.layout(tile).arena.bytes);
    return bytes;
  };
  s.arena_bytes = s.bands ? s.bands->bytes() : by_tiles();
  if (s.bands && options.whole_if_smaller && s.arena_bytes > options.band_bytes)
    if (const size_t whole = by_tiles(); whole < s.arena_bytes) {
      s.bands.reset();
      s.arena_bytes = whole;
    }
  return Executor(std::move(state));
}

int Executor::out_height() const { return state_->net.size_of(state_->net.output).height; }
int Executor::out_width() const { return state_->net.size_of(state_->net.output).width; }
int Executor::out_channels() const { return state_->net.size_of(state_->net.output).channels; }
size_t Executor::arena_bytes() const { return state_->arena_bytes; }
int Executor::pass_count() const {
  return state_->bands ? state_->bands->count() : int(state_->tiles().size());
}

Status Executor::run(const Map& in, const Map& out, ThreadPool& threads, const Observer* observer,
                     const StepDone* done) {
  State& s = *state_;
  auto fits = [&](const Map& map, TensorId tensor) {
    const MapSize size = s.net.size_of(tensor);
    return map.region == Region{0, 0, size.height, size.width} && map.channels == size.channels;
  };
  if (!fits(in, s.net.input) || !fits(out, s.net.output))
    return internal_error("the maps given to Executor::run are not of the size it was prepared for");
  if (auto had = have_arena(); !had) return had;
  if (done) (*done)(kNone, kNone);
  const auto stopped = [&] { return s.options.stop && s.options.stop(); };
  if (s.bands) {
    for (int band = 0; band < s.bands->count(); ++band) {
      if (stopped()) return interrupted_error("stopped");
      s.bands->run_band(band, in, out, s.arena.data(), threads, s.options.max, observer, done);
    }
  } else {
    for (const Region& tile : s.tiles()) {
      if (stopped()) return interrupted_error("stopped");
      s.run_tile(tile, in, out, threads, observer, done);
    }
  }
  if (done) (*done)(kNone, kNone);
  return {};
}

Status Executor::have_arena() {
  State& s = *state_;
  if (s.arena.size() >= s.arena_bytes) return {};
  try {
    s.arena = Buffer(s.arena_bytes);
  } catch (const std::bad_alloc&) {
    return resource_error(fmt::format("{} MB for intermediate maps can't be had", s.arena_bytes >> 20),
                          "give a smaller --tile or --mem");
  }
  return {};
}

std::optional<PassRows> Executor::pass_rows(int index, const Map& out) const {
  if (!state_->bands) return std::nullopt;
  return state_->bands->rows(index, out);
}

Status Executor::run_pass(int index, const Map& in, const Map& out, ThreadPool& threads,
                          const Observer* observer, const StepDone* done) {
  State& s = *state_;
  if (!s.bands || index < 0 || index >= s.bands->count())
    return internal_error(fmt::format("there is no pass {} in this run", index));
  const PassRows rows = s.bands->rows(index, out);
  const auto fits = [&](const Map& map, TensorId tensor, int from, int to) {
    const MapSize size = s.net.size_of(tensor);
    return map.channels == size.channels &&
           map.region.contains({from, 0, std::max(0, to - from), size.width});
  };
  if (!fits(in, s.net.input, rows.in_from, rows.in_to) ||
      !fits(out, s.net.output, rows.out_from, rows.out_to))
    return internal_error("the maps given to Executor::run_pass do not hold its rows");
  if (auto had = have_arena(); !had) return had;
  s.bands->run_band(index, in, out, s.arena.data(), threads, s.options.max, observer, done);
  return {};
}

std::vector<std::string> Executor::explain() const {
  const Parts& net = state_->net;
  std::vector<std::string> lines;
  for (size_t p = 0; p < net.parts.size(); ++p) {
    for (const Copy& copy : net.copies)
      if (copy.from != kNone && copy.segment == int(p))
        lines.push_back(fmt::format("hand-over {} -> {}", net.graph->tensors[size_t(copy.tensor)].name,
                                    name(copy.format.type)));
    for (const std::string& line : net.parts[p].runnable->explain())
      lines.push_back(fmt::format("{} {}", net.parts[p].processor->name(), line));
  }
  return lines;
}

std::vector<const Processor*> everywhere(const Graph& graph, const Processor* processor) {
  return std::vector<const Processor*>(graph.nodes.size(), processor);
}

}  // namespace fye
