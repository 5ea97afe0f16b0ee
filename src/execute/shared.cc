// The parts of execute/parts.h over whole maps, where a part is done by one processor or by several at once.
// Each piece of a part has scratch memory of its own; pieces of one part only share what none of them writes.
// Tested by execute/shared_test.cc.
#include "execute/shared.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/buffer.h"
#include "base/crew.h"
#include "execute/channel_slice.h"
#include "kernels/convert/convert.h"
#include "processors/arena.h"

namespace fye {
namespace {

// Stripes begin at multiples of so many rows of the smallest map at a segment's ends: the tiles of Winograd
// kernels, so that no tile is computed by two.
constexpr int kRowGranule = 4;
constexpr double kPartTolerance = 1e-6;  // of the sum of a stage's parts

Status check_stage(const Stage& stage, size_t index) {
  const auto wrong = [&](const std::string& what) {
    return bad_input(fmt::format("stage {} of the plan: {}", index + 1, what),
                     "docs/formats.md describes plan.json");
  };
  if (stage.shares.empty()) return wrong("nobody does it");
  double sum = 0;
  std::set<std::string_view> names;
  for (const Share& share : stage.shares) {
    if (!(share.part >= 0) || !std::isfinite(share.part))
      return wrong(fmt::format("{}'s part is {}", share.processor->name(), share.part));
    sum += share.part;
    if (!names.insert(share.processor->name()).second)
      return wrong(fmt::format("{} is named twice", share.processor->name()));
    if (stage.cut == Cut::rows && share.processor->numbers() != stage.shares[0].processor->numbers())
      return wrong(fmt::format("its rows would be of two number formats, {} and {}",
                               stage.shares[0].processor->name(), share.processor->name()));
    if (stage.cut == Cut::channels && share.processor->numbers() == Numbers::int8r16)
      return wrong(fmt::format("{} can't share channels: its 16-bit sums belong to whole layers",
                               share.processor->name()));
  }
  if (std::abs(sum - 1) > kPartTolerance) return wrong(fmt::format("its parts add up to {}, not 1", sum));
  if (stage.cut == Cut::none && stage.shares.size() != 1)
    return wrong("several processors do it, but it is not cut");
  return {};
}

Region whole(const MapSize& size) { return {0, 0, size.height, size.width}; }

// Channels [from, to) of a map, as a view.
Map channels_of(Map map, int from, int to) {
  map.origin += size_t(from) * size_t(size_of(map.type));
  map.channels = to - from;
  return map;
}

// Writes all channels of `from` at channel `first` of `to`, which is stored alike, and leaves the others
// alone.
void merge_channels(const Map& from, const Map& to, int first) {
  const size_t size = size_t(size_of(to.type)), bytes = size_t(from.channels) * size;
  const size_t from_step = size_t(from.pitch) * size, to_step = size_t(to.pitch) * size;
  for (int y = from.region.y; y < from.region.y + from.region.h; ++y) {
    const std::byte* source = pixel_at(from, y, from.region.x);
    std::byte* target = pixel_at(to, y, from.region.x) + size_t(first) * size;
    for (int x = 0; x < from.region.w; ++x, source += from_step, target += to_step) {
      size_t at = 0;
      for (; at + 8 <= bytes; at += 8) std::memcpy(target + at, source + at, 8);
      if (at < bytes) std::memcpy(target + at, source + at, bytes - at);
    }
  }
}

// A part of the scratch memory.
struct Room {
  size_t lifetime = 0;  // index into the arena's plan
  Map layout;           // if it holds a map
};

// What one processor does of a part.
struct Piece {
  const Processor* processor = nullptr;
  int member = kNone;  // of the crew; kNone: all threads
  Room scratch;

  // By rows: its stripe of each output. Whole maps where it is alone.
  std::vector<Region> stripes;

  // By channels: the convolution with channels [from, to).
  int from = 0, to = 0;
  std::unique_ptr<ChannelSlice> slice;
  std::unique_ptr<Runnable> runnable;
  struct In {
    int copy = kNone;
    ChannelRange channels;
    bool converts = false;  // into `room`
    Room room;
  };
  std::vector<In> in;
  Room out, row;  // its channels, and a row of them as the output stores them, if that differs
  bool converts_out = false;
};

struct Work {
  Cut cut = Cut::none;
  std::vector<Piece> pieces;
  std::vector<int> members;      // those on cores of their own
  std::vector<int> conversions;  // copies made before it
};

}  // namespace

std::vector<int> deal_out(int total, int granule, std::span<const Share> shares) {
  const int granules = total / granule;
  std::vector<int> counts(shares.size(), 0);
  int dealt = 0;
  std::vector<size_t> order(shares.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t s = 0; s < shares.size(); ++s)
    dealt += counts[s] = int(std::floor(shares[s].part * granules + 1e-9));
  // Largest remainders first; who has a part but no granule comes before all.
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto claim = [&](size_t s) {
      return (counts[s] == 0 && shares[s].part > 0 ? 1 : 0) + shares[s].part * granules - counts[s];
    };
    return claim(a) > claim(b);
  });
  for (size_t i = 0; dealt < granules && i < order.size(); ++i)
    if (shares[order[i]].part > 0) ++counts[order[i]], ++dealt;
  for (size_t s = 0; s < shares.size(); ++s) {
    if (shares[s].part <= 0 || counts[s] > 0) continue;
    const auto richest = std::max_element(counts.begin(), counts.end());
    if (*richest > 1) --*richest, ++counts[s];
  }
  std::vector<int> ends;
  int end = 0, left = total - granules * granule;
  for (size_t s = 0; s < shares.size(); ++s) {
    end += counts[s] * granule;
    if (left > 0 && (counts[s] > 0 || (granules == 0 && shares[s].part > 0))) end += left, left = 0;
    ends.push_back(end);
  }
  return ends;
}

struct SharedExecutor::State {
  Isa max;
  Parts net;
  std::vector<Work> works;   // one a part
  std::vector<Map> layouts;  // by copy
  ArenaPlan arena;
  Buffer memory;
  std::unique_ptr<Crew> crew;
  ThreadPool alone{1};

  // For one run.
  std::vector<Map> maps;  // by copy

  std::byte* at(const Room& room) { return memory.data() + arena.offset[room.lifetime]; }
  Map map_in(const Room& room) { return place_map(room.layout, at(room)); }

  void convert(int copy, int y0, int y1) {
    convert_rows(maps[size_t(net.copies[size_t(copy)].from)], maps[size_t(copy)], y0, y1, max);
  }
  void finish(int copy) {
    const Map& map = maps[size_t(copy)];
    if (map.margin == 0) return;
    const MapSize size = net.size_of(net.copies[size_t(copy)].tensor);
    fill_margin(map, size.height, size.width);
  }

  // Rows of a map, by all who work on a part.
  template <class Body>
  void by_rows(const Work& work, int rows, ThreadPool& threads, const Body& body) {
    if (work.members.empty()) {
      threads.parallel_for(rows, std::max(1, (rows + threads.size() - 1) / threads.size()),
                           [&](int64_t b, int64_t e) { body(int(b), int(e)); });
      return;
    }
    const int count = int(work.members.size());
    crew->run(work.members, [&](int member) {
      const auto place = std::find(work.members.begin(), work.members.end(), member) - work.members.begin();
      const int from = int(rows * place / count), to = int(rows * (place + 1) / count);
      if (from < to) body(from, to);
    });
  }

  void run_stripe(const Part& part, const Piece& piece, ThreadPool& threads) {
    std::vector<Map> ins, outs;
    for (int c : part.in) ins.push_back(maps[size_t(c)]);
    for (size_t o = 0; o < part.out.size(); ++o)
      outs.push_back(part_of(maps[size_t(part.out[o])], piece.stripes[o]));
    part.runnable->run(ins, outs, at(piece.scratch), threads, nullptr);
  }

  void run_slice(const Part& part, const Piece& piece, ThreadPool& threads) {
    std::vector<Map> ins;
    for (const Piece::In& in : piece.in) {
      const Map source = channels_of(maps[size_t(in.copy)], in.channels.from, in.channels.to);
      if (!in.converts) {
        ins.push_back(source);
        continue;
      }
      const Map own = map_in(in.room);
      const int rows = own.region.h;
      threads.parallel_for(rows, std::max(1, (rows + threads.size() - 1) / threads.size()),
                           [&](int64_t b, int64_t e) { convert_rows(source, own, int(b), int(e), max); });
      if (own.margin > 0) fill_margin(own, own.region.h, own.region.w);
      ins.push_back(own);
    }
    const Map& target = maps[size_t(part.out[0])];
    const bool all = piece.to - piece.from == target.channels;
    const Map own = all && !piece.converts_out ? target : map_in(piece.out);
    const Map outs[] = {own};
    piece.runnable->run(ins, outs, at(piece.scratch), threads, nullptr);
    if (all && !piece.converts_out) return;
    if (!piece.converts_out) return merge_channels(own, target, piece.from);
    for (int y = 0; y < own.region.h; ++y) {
      Map row = piece.row.layout;
      row.region.y = y;
      row = place_map(row, at(piece.row));
      convert_rows(own, row, y, y + 1, max);
      merge_channels(row, target, piece.from);
    }
  }

  void run_piece(const Part& part, const Work& work, const Piece& piece, ThreadPool& threads) {
    if (work.cut == Cut::channels)
      run_slice(part, piece, threads);
    else
      run_stripe(part, piece, threads);
  }

  void run_part(size_t p, ThreadPool& threads) {
    const Part& part = net.parts[p];
    const Work& work = works[p];
    if (work.members.size() == 1 && work.pieces.size() == 1) {
      // One processor on its core: everything there, so that the others are asked once only.
      crew->run(work.members, [&](int) {
        for (int c : work.conversions) {
          convert(c, 0, maps[size_t(c)].region.h);
          finish(c);
        }
        run_piece(part, work, work.pieces[0], alone);
        for (int c : part.out) finish(c);
      });
      return;
    }
    for (int c : work.conversions) {
      by_rows(work, maps[size_t(c)].region.h, threads, [&](int y0, int y1) { convert(c, y0, y1); });
      finish(c);
    }
    if (!work.members.empty())
      crew->run(work.members, [&](int member) {
        for (const Piece& piece : work.pieces)
          if (piece.member == member) run_piece(part, work, piece, alone);
      });
    for (const Piece& piece : work.pieces)
      if (piece.member == kNone) run_piece(part, work, piece, threads);
    for (int c : part.out) finish(c);
  }

  Status add_pieces(size_t p, const Stage& stage, const std::vector<int>& member_of, const Calib* calib);
  Status add_slices(size_t p, const Stage& stage, const std::vector<int>& member_of, const Calib* calib);
  int copy_in(TensorId tensor, const Stored& stored, int margin, size_t part);
  void plan_memory();
};

namespace {

int member_for(const Processor& processor, const std::vector<int>& cores) {
  const auto found = std::find(cores.begin(), cores.end(), processor.core());
  return processor.core() < 0 ? kNone : int(found - cores.begin());
}

// The height that stripes are dealt out in: the smallest of a segment's maps, if all others are whole
// multiples.
int base_height(const Parts& net, const Part& part) {
  int base = 1 << 30;
  std::vector<int> heights;
  for (const auto* tensors : {&part.segment.inputs, &part.segment.outputs})
    for (TensorId tensor : *tensors) heights.push_back(net.size_of(tensor).height);
  for (int h : heights) base = std::min(base, h);
  const bool multiples = std::all_of(heights.begin(), heights.end(), [&](int h) { return h % base == 0; });
  return multiples ? base : net.size_of(part.segment.outputs.front()).height;
}

}  // namespace

// A copy of `tensor` that is stored like this and can be read by `part`, or kNone.
int SharedExecutor::State::copy_in(TensorId tensor, const Stored& stored, int margin, size_t part) {
  for (size_t c = 0; c < net.copies.size(); ++c) {
    Copy& copy = net.copies[c];
    if (int(c) == net.input_copy || copy.tensor != tensor || copy.format.type != stored.type ||
        !(copy.format.quant == stored.quant) || copy.segment > int(part))
      continue;
    // One that this part's own conversions make is there before its pieces run.
    copy.margin = std::max(copy.margin, margin);
    copy.last_reader = std::max(copy.last_reader, int(part));
    return int(c);
  }
  return kNone;
}

Status SharedExecutor::State::add_slices(size_t p, const Stage& stage, const std::vector<int>& cores,
                                         const Calib* calib) {
  const Part& part = net.parts[p];
  Work& work = works[p];
  const Graph& graph = *net.graph;
  const int index = part.segment.nodes[0];
  const Node& node = graph.nodes[size_t(index)];
  const MapSize out = net.size_of(node.output);
  const std::vector<int> ends = deal_out(out.channels, channel_granule(graph, node), stage.shares);
  const Copy& target = net.copies[size_t(part.out[0])];
  for (size_t s = 0; s < stage.shares.size(); ++s) {
    Piece piece{.processor = stage.shares[s].processor, .from = s ? ends[s - 1] : 0, .to = ends[s]};
    if (piece.from == piece.to) continue;
    piece.member = member_for(*piece.processor, cores);
    piece.slice = std::make_unique<ChannelSlice>(slice_channels(graph, calib, index, piece.from, piece.to));
    Segment segment{.graph = &piece.slice->graph,
                    .calib = calib ? &piece.slice->calib : nullptr,
                    .nodes = {0},
                    .inputs = piece.slice->graph.inputs,
                    .outputs = piece.slice->graph.outputs};
    std::vector<ChannelRange> channels;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      Shape shape = net.shapes[size_t(node.inputs[i])];
      channels.push_back(i == 0 ? ChannelRange{0, int(shape[1])}
                                : slice_of_residual(node, int(shape[1]), piece.from, piece.to));
      shape[1] = channels.back().to - channels.back().from;
      segment.shapes.push_back(shape);
    }
    segment.shapes.push_back(net.shapes[size_t(node.output)]);
    segment.shapes.back()[1] = piece.to - piece.from;
    auto runnable = piece.processor->prepare(segment);
    if (!runnable) return runnable.error();
    piece.runnable = *std::move(runnable);
    const std::vector<int> margins = piece.runnable->input_margins();
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto wants = piece.processor->reads(piece.slice->graph, segment.calib, 0, int(i));
      if (!wants) return wants.error();
      Piece::In in{.channels = channels[i]};
      in.copy = copy_in(node.inputs[i], *wants, margins[i], p);
      if (in.copy == kNone) {
        in.converts = true;
        // Where a tensor is read twice, part.in has it once.
        const auto slot = std::find(part.segment.inputs.begin(), part.segment.inputs.end(), node.inputs[i]);
        in.copy = part.in[size_t(slot - part.segment.inputs.begin())];
        const MapSize size = map_size(segment.shapes[i]);
        in.room.layout = map_layout({wants->type, wants->quant, size.channels}, whole(size), margins[i]);
      }
      piece.in.push_back(in);
    }
    const auto writes = piece.processor->writes(piece.slice->graph, segment.calib, 0);
    if (!writes) return writes.error();
    piece.converts_out = writes->type != target.format.type || !(writes->quant == target.format.quant);
    const int count = piece.to - piece.from;
    piece.out.layout = map_layout({writes->type, writes->quant, count}, whole(out), 0);
    piece.row.layout = map_layout({target.format.type, target.format.quant, count}, {0, 0, 1, out.width}, 0);
    work.pieces.push_back(std::move(piece));
  }
  return {};
}

Status SharedExecutor::State::add_pieces(size_t p, const Stage& stage, const std::vector<int>& cores,
                                         const Calib* calib) {
  const Part& part = net.parts[p];
  Work& work = works[p];
  const Node& first = net.graph->nodes[size_t(part.segment.nodes[0])];
  work.cut = stage.cut;
  if (stage.cut == Cut::channels && !is_sliceable(*net.graph, first)) work.cut = Cut::none;
  for (size_t c = 0; c < net.copies.size(); ++c)
    if (net.copies[c].from != kNone && net.copies[c].segment == int(p)) work.conversions.push_back(int(c));
  if (work.cut == Cut::channels) {
    if (auto status = add_slices(p, stage, cores, calib); !status) return status;
  } else {
    std::span<const Share> shares(stage.shares);
    if (work.cut == Cut::none) shares = shares.first(1);
    const Share all{shares[0].processor, 1};
    if (work.cut == Cut::none) shares = {&all, 1};
    const int base = base_height(net, part);
    const std::vector<int> ends =
        deal_out(base, base >= kRowGranule * int(shares.size()) ? kRowGranule : 1, shares);
    for (size_t s = 0; s < shares.size(); ++s) {
      const int64_t from = s ? ends[s - 1] : 0, to = ends[s];
      if (from == to) continue;
      Piece piece{.processor = shares[s].processor, .member = member_for(*shares[s].processor, cores)};
      for (TensorId tensor : part.segment.outputs) {
        const MapSize size = net.size_of(tensor);
        const int y0 = int(from * size.height / base), y1 = int(to * size.height / base);
        piece.stripes.push_back({y0, 0, y1 - y0, size.width});
      }
      work.pieces.push_back(std::move(piece));
    }
  }
  for (const Piece& piece : work.pieces)
    if (piece.member != kNone &&
        std::find(work.members.begin(), work.members.end(), piece.member) == work.members.end())
      work.members.push_back(piece.member);
  return {};
}

void SharedExecutor::State::plan_memory() {
  std::vector<Lifetime> lifetimes;
  for (size_t c = 0; c < net.copies.size(); ++c) {
    const Copy& copy = net.copies[c];
    layouts.push_back(map_layout(copy.format, whole(net.size_of(copy.tensor)), copy.margin));
    const bool users = int(c) == net.input_copy;
    lifetimes.push_back({users ? 0 : map_bytes(layouts.back()), std::max(0, copy.segment),
                         std::max(copy.segment, copy.last_reader)});
  }
  for (size_t p = 0; p < works.size(); ++p) {
    const auto room = [&](Room& of, size_t bytes) {
      of.lifetime = lifetimes.size();
      lifetimes.push_back({bytes, int(p), int(p)});
    };
    for (Piece& piece : works[p].pieces) {
      if (works[p].cut != Cut::channels) {
        room(piece.scratch, net.parts[p].runnable->scratch_bytes(piece.stripes));
        continue;
      }
      const Region region[] = {piece.out.layout.region};
      room(piece.scratch, piece.runnable->scratch_bytes(region));
      room(piece.out, map_bytes(piece.out.layout));
      room(piece.row, map_bytes(piece.row.layout));
      for (Piece::In& in : piece.in) room(in.room, in.converts ? map_bytes(in.room.layout) : 0);
    }
  }
  arena = plan_arena(lifetimes);
}

SharedExecutor::SharedExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
SharedExecutor::SharedExecutor(SharedExecutor&&) noexcept = default;
SharedExecutor::~SharedExecutor() = default;

Result<SharedExecutor> SharedExecutor::prepare(const Graph& graph, const Calib* calib,
                                               std::span<const Stage> stages, std::span<const int> stage_of,
                                               int height, int width, Isa max) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input(fmt::format("the network has {} inputs and {} outputs; one of each was expected",
                                 graph.inputs.size(), graph.outputs.size()));
  if (stage_of.size() != graph.nodes.size() || graph.nodes.empty())
    return internal_error(fmt::format("{} stages for {} nodes", stage_of.size(), graph.nodes.size()));
  for (size_t s = 0; s < stages.size(); ++s)
    if (auto status = check_stage(stages[s], s); !status) return status.error();

  // A segment ends where the stage changes, and around every convolution whose channels are dealt out.
  std::vector<const Processor*> placement;
  std::vector<int> segment_of;
  std::vector<int> cores;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Stage& stage = stages[size_t(stage_of[n])];
    placement.push_back(stage.shares[0].processor);
    const auto alone = [&](size_t at) {
      return stages[size_t(stage_of[at])].cut == Cut::channels && is_sliceable(graph, graph.nodes[at]);
    };
    const bool same = n > 0 && stage_of[n] == stage_of[n - 1] && !alone(n) && !alone(n - 1);
    segment_of.push_back(n == 0 ? 0 : segment_of.back() + (same ? 0 : 1));
    for (const Share& share : stage.shares)
      if (share.processor->core() >= 0 &&
          std::find(cores.begin(), cores.end(), share.processor->core()) == cores.end())
        cores.push_back(share.processor->core());
  }
  const Tensor& input = graph.tensors[size_t(graph.inputs[0])];
  if (input.shape.size() != 4)
    return bad_input(fmt::format("the network's input \"{}\" has rank {}; a picture (rank 4) was expected",
                                 input.name, input.shape.size()));
  auto shapes = infer_shapes(graph, {{1, input.shape[1], height, width}});
  if (!shapes) return shapes.error();
  auto net = cut_into_parts(graph, calib, placement, *std::move(shapes), segment_of);
  if (!net) return net.error();
  auto state = std::make_unique<State>();
  State& s = *state;
  s.max = max;
  s.net = *std::move(net);
  s.works.resize(s.net.parts.size());
  for (size_t p = 0; p < s.works.size(); ++p) {
    const int node = s.net.parts[p].segment.nodes[0];
    if (auto status = s.add_pieces(p, stages[size_t(stage_of[size_t(node)])], cores, calib); !status)
      return status.error();
  }
  s.plan_memory();
  s.crew = std::make_unique<Crew>(cores);
  return SharedExecutor(std::move(state));
}

int SharedExecutor::out_height() const { return state_->net.size_of(state_->net.output).height; }
int SharedExecutor::out_width() const { return state_->net.size_of(state_->net.output).width; }
int SharedExecutor::out_channels() const { return state_->net.size_of(state_->net.output).channels; }
size_t SharedExecutor::arena_bytes() const { return state_->arena.bytes; }
int SharedExecutor::segment_count() const { return int(state_->works.size()); }

Status SharedExecutor::run(const Map& in, const Map& out, ThreadPool& threads, const Observer* observer,
                           const StepDone* done) {
  State& s = *state_;
  const auto fits = [&](const Map& map, TensorId tensor) {
    const MapSize size = s.net.size_of(tensor);
    return map.region == whole(size) && map.channels == size.channels;
  };
  if (!fits(in, s.net.input) || !fits(out, s.net.output))
    return internal_error("the maps given to SharedExecutor::run are not of the size it was prepared for");
  if (s.memory.size() < s.arena.bytes) {
    try {
      s.memory = Buffer(s.arena.bytes);
    } catch (const std::bad_alloc&) {
      return resource_error(fmt::format("{} MB for intermediate maps can't be had", s.arena.bytes >> 20),
                            "give a smaller picture, or a plan that shares nothing: that one runs in bands");
    }
  }
  s.maps.clear();
  for (size_t c = 0; c < s.layouts.size(); ++c)
    s.maps.push_back(
        int(c) == s.net.input_copy ? in : place_map(s.layouts[c], s.memory.data() + s.arena.offset[c]));
  const bool direct = s.net.ends_in(out);
  if (direct) s.maps[size_t(s.net.final_copy)] = out;
  const Crew::Seat seat(*s.crew);
  if (done) (*done)(kNone, kNone);
  for (size_t p = 0; p < s.works.size(); ++p) {
    s.run_part(p, threads);
    const Part& part = s.net.parts[p];
    if (observer)
      for (size_t o = 0; o < part.out.size(); ++o)
        (*observer)(s.net.graph->producer(part.segment.outputs[o]), s.maps[size_t(part.out[o])]);
    if (done) (*done)(part.segment.nodes.back(), part.segment.outputs.back());
  }
  if (!direct)
    s.by_rows(s.works.back(), out.region.h, threads,
              [&](int y0, int y1) { convert_rows(s.maps[size_t(s.net.final_copy)], out, y0, y1, s.max); });
  if (done) (*done)(kNone, kNone);
  return {};
}

std::vector<std::string> SharedExecutor::explain() const {
  const Parts& net = state_->net;
  std::vector<std::string> lines;
  for (size_t p = 0; p < net.parts.size(); ++p) {
    const Work& work = state_->works[p];
    for (int c : work.conversions)
      lines.push_back(fmt::format("hand-over {} -> {}",
                                  net.graph->tensors[size_t(net.copies[size_t(c)].tensor)].name,
                                  name(net.copies[size_t(c)].format.type)));
    for (const Piece& piece : work.pieces) {
      std::string what;
      if (work.cut == Cut::rows)
        what = fmt::format(" rows {}-{}", piece.stripes[0].y, piece.stripes[0].y + piece.stripes[0].h);
      if (work.cut == Cut::channels) what = fmt::format(" channels {}-{}", piece.from, piece.to);
      const Runnable& runnable = piece.runnable ? *piece.runnable : *net.parts[p].runnable;
      for (const std::string& line : runnable.explain())
        lines.push_back(fmt::format("{}{} {}", piece.processor->name(), what, line));
    }
  }
  return lines;
}

}  // namespace fye
