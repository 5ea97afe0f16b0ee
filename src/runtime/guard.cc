// Tested by runtime/guard_test.cc: a thousand faults in every number format, and pictures that may be flat or
// black.
#include "runtime/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "execute/plain.h"
#include "graph/region.h"
#include "runtime/recompute.h"
#include "runtime/suspects.h"

namespace fye {
namespace {

// See guard.h. Of natural pictures (docs/results.md) one patch in some ten thousands passes one of the first
// two.
constexpr float kFlatLevels = 8;
constexpr float kShiftLevels = 40;
constexpr float kNearLevels = 4;
constexpr float kBusyLevels = 24;

// Points at which a patch is looked at; two of them in each quarter of its rows and columns.
constexpr int kPoints = 8;

// A network may have flat maps by nature, or change colours on purpose. After so many patches that float
// arithmetic found right, a kind of sign counts no more for this picture.
constexpr int kEnough = 16;

// Patches side by side that are computed again at once.
constexpr int kTogether = 4;

// NaN or infinity that covers so many input pixels each way is found wherever it arises.
constexpr int kClose = 4;

// Pixels that a bicubic step looks around.
constexpr int kBicubic = 2;

constexpr int kNotices = 5;

// What looking at a patch found.
enum Sign : uint8_t { sound = 0, flat = 1, shifted = 2, inside = 4, broken = 8, changed = 16 };

struct Cell {
  uint8_t signs = sound;
  int node = kNone;  // the first that showed one
};

// Trained networks have residual blocks whose rectified middle is zero over whole parts of a picture: the
// block then hands on what it got. That is no sign; other rectified layers are never all zero where the
// picture isn't plain.
bool may_be_silent(const Graph& graph, const Node& node) {
  const auto rectifies = [](const Activation& act) {
    return act.kind == Activation::Kind::relu || act.kind == Activation::Kind::clip;
  };
  const Conv* conv = node.as<Conv>();
  const Elementwise* alone = node.as<Elementwise>();
  if (!(conv ? rectifies(conv->act) || rectifies(conv->post) : alone && rectifies(alone->act))) return false;
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& reader) {
    if (!reader.as<Conv>() || reader.inputs.size() < 2 || reader.inputs[0] != node.output) return false;
    return reader.inputs[1] != graph.inputs[0];
  });
}

}  // namespace

struct Guard::State {
  const Model* model;
  std::vector<const Processor*> placement;
  Isa max;
  ThreadPool* threads;
  int width, height, channels = 3, bits = 8;
  int scale, halo, reach;
  bool global = false;
  Recompute redo;
  std::vector<MapSize> sizes;  // by node
  std::vector<int> step;       // by node: how far apart values are looked at, in input pixels
  std::vector<bool> silent;    // by node: may be zero over whole parts of a picture
  std::vector<int> mistaken;   // by node: patches that were right after all
  int mistaken_shift = 0, mistaken_flat = 0;

  PixelRows in;
  std::vector<Suspect> suspects;
  GuardReport report;
  Observer tamper;
  bool tamper_again = false;

  int cells_across() const { return (width + kGuardCell - 1) / kGuardCell; }
  Region cell(int cy, int cx) const {
    const int y = cy * kGuardCell, x = cx * kGuardCell;
    return {y, x, std::min(kGuardCell, height - y), std::min(kGuardCell, width - x)};
  }
  Region enlarged(const Region& r) const { return {r.y * scale, r.x * scale, r.h * scale, r.w * scale}; }

  uint8_t look(const Region& c, const PixelRows& out) const {
    float shift[3] = {0, 0, 0};
    bool equal = true;
    const size_t pixel = size_t(channels) * size_t(bits / 8);
    const uint8_t* first = nullptr;
    for (int i = 0; i < kPoints; ++i) {
      const int x = c.x + (c.w * (2 * i + 1)) / (2 * kPoints);
      const int y = c.y + (c.h * ((2 * i * 3 + 1) % (2 * kPoints))) / (2 * kPoints);
      const int out_y = y * scale + scale / 2, out_x = x * scale + scale / 2;
      for (int k = 0; k < channels; ++k) shift[k] += out.level(out_y, out_x, k) - in.level(y, x, k);
      const uint8_t* here = out.row(out_y) + size_t(out_x) * pixel;
      if (!first) first = here;
      equal &= std::memcmp(here, first, pixel) == 0;
    }
    uint8_t signs = sound;
    for (int k = 0; k < channels; ++k)
      if (std::abs(shift[k]) > kShiftLevels * kPoints && mistaken_shift < kEnough) signs |= shifted;
    if (equal && is_flat(out, enlarged(c)) &&
        (mistaken_flat < kEnough ? range_of(in, c) > kFlatLevels : deviation_of(in, c) > kFlatLevels))
      signs |= flat;
    return signs;
  }

  Result<Recomputed> compute(const Region& r, std::span<const Processor* const> on, Isa isa) {
    if (!in.holds(redo.around(r))) return internal_error("the rows that a repair needs are not held");
    return redo.run(in, r, on, isa, tamper_again && tamper ? &tamper : nullptr);
  }

  bool is_bad(Recomputed& again, const Region& c) const {
    if (!again.finite) return true;
    return is_flat(again.rows(), there(again, c)) && deviation_of(in, c) > kBusyLevels;
  }

  void say(const Region& r, uint8_t signs, int node) {
    ++report.repaired;
    if (report.repaired > kNotices) return;
    const char* what = signs & broken ? "NaN or infinite" : signs & flat ? "flat" : "wrong";
    const std::string where =
        node == kNone ? "" : fmt::format(" from layer \"{}\" on", model->graph.nodes[size_t(node)].name);
    report.notices.push_back(
        fmt::format("a part of {}x{} pixels at {},{} came out {}{}; it was computed again in float", r.w, r.h,
                    r.x, r.y, what, where));
  }

  // Where a repeated run in the numbers that went wrong shows the first sign; kNone if it doesn't happen
  // again.
  int layer_at_fault(const Region& r) {
    auto once_more = compute(r, placement, max);
    return once_more ? once_more->first_bad : kNone;
  }

  // The patch `c` of what was computed again lies at the result of this in its picture.
  Region there(const Recomputed& again, const Region& c) const {
    return enlarged({c.y - again.from.y, c.x - again.from.x, c.h, c.w});
  }

  // Mean distance in levels between the patch in `out` and what was computed again.
  double distance(const PixelRows& out, Recomputed& again, const Region& c) const {
    const Region big = enlarged(c), small = there(again, c);
    const PixelRows made = again.rows();
    double away = 0;
    for (int y = 0; y < big.h; ++y)
      for (int x = 0; x < big.w; ++x)
        for (int k = 0; k < channels; ++k)
          away += std::abs(out.level(big.y + y, big.x + x, k) - made.level(small.y + y, small.x + x, k));
    return away / (double(big.h) * big.w * channels);
  }

  // Signs that float arithmetic may well show too (colours that the network changes, maps that are flat by
  // nature) count only if the same run doesn't give the same again.
  Status ask_again(const PixelRows& out, int cy, int cx, std::span<Cell> cells) {
    constexpr uint8_t kSure = flat | broken;
    if (std::all_of(cells.begin(), cells.end(), [](const Cell& c) { return (c.signs & kSure) != 0; }))
      return {};
    auto again = compute(cover(cell(cy, cx), cell(cy, cx + int(cells.size()) - 1)), placement, max);
    if (!again) return again.error();
    for (size_t i = 0; i < cells.size(); ++i) {
      Cell& was = cells[i];
      if (was.signs & kSure) continue;
      if (distance(out, *again, cell(cy, cx + int(i))) > 0) {
        was.signs |= changed;
        continue;
      }
      mistake(was);
      was = {};
    }
    return {};
  }

  void mistake(const Cell& was) {
    if (was.node != kNone) ++mistaken[size_t(was.node)];
    if (was.signs & shifted) ++mistaken_shift;
    if (was.signs & flat) ++mistaken_flat;
  }

  // In f32, on scalar kernels too if the fast ones give something broken.
  Result<Recomputed> in_float(int cy, int cx, std::span<const Cell> cells) {
    const Region r = cover(cell(cy, cx), cell(cy, cx + int(cells.size()) - 1));
    for (const Isa isa : {max, Isa::scalar}) {
      const auto f32 = find_processor("cpu.f32", isa);
      if (!f32) return f32.error();
      auto made = compute(r, everywhere(model->graph, *f32), isa);
      if (!made) return made;
      bool bad = false;
      for (size_t i = 0; i < cells.size(); ++i)
        bad |= cells[i].signs != sound && is_bad(*made, cell(cy, cx + int(i)));
      if (!bad || isa == Isa::scalar) return made;
    }
    return internal_error("no float result");
  }

  Status repair(const PixelRows& out, int cy, int cx, std::span<Cell> cells) {
    if (auto ok = ask_again(out, cy, cx, cells); !ok) return ok;
    if (std::all_of(cells.begin(), cells.end(), [](const Cell& c) { return c.signs == sound; })) return {};
    auto again = in_float(cy, cx, cells);
    if (!again) return again.error();
    const PixelRows made = again->rows();
    const size_t pixel = size_t(channels) * size_t(bits / 8);
    for (size_t i = 0; i < cells.size(); ++i) {
      const Cell& was = cells[i];
      if (was.signs == sound) continue;
      const Region c = cell(cy, cx + int(i)), big = enlarged(c), small = there(*again, c);
      if (is_bad(*again, c)) {
        const char* what = again->finite ? "is flat although the picture is not" : "has NaN or infinity";
        return bad_input(fmt::format("{}: the output {} at {},{}, in float too; nothing was written",
                                     model->name, what, c.x, c.y),
                         again->finite ? "check the model's --range and --colour"
                                       : "the weights of this model are broken or overflow");
      }
      // Infinities inside that float has too belong to the network.
      const bool by_nature = !(was.signs & (broken | changed)) || again->first_bad != kNone;
      if (by_nature && distance(out, *again, c) <= kNearLevels) {
        mistake(was);
        continue;
      }
      for (int y = 0; y < big.h; ++y)
        std::memcpy(out.row(big.y + y) + size_t(big.x) * pixel,
                    made.row(small.y + y) + size_t(small.x) * pixel, size_t(big.w) * pixel);
      say(c, was.signs, was.node != kNone ? was.node : layer_at_fault(c));
    }
    return {};
  }
};

Guard::Guard(std::unique_ptr<State> state) : state_(std::move(state)) {}
Guard::Guard(Guard&&) noexcept = default;
Guard::~Guard() = default;

int Guard::reach(const Model& model) {
  // Whole cells, which are whole squares of every kernel.
  return (halo(model.graph) + kBicubic + kGuardCell - 1) / kGuardCell * kGuardCell;
}

int64_t Guard::repair_bytes(const Model& model, std::span<const Processor* const> placement, int width,
                            int64_t map_bytes) {
  const int64_t across = std::min<int64_t>(width, kTogether * kGuardCell + 2 * reach(model));
  const int64_t down = kGuardCell + 2 * reach(model), scale = model.conventions.scale;
  // How much larger maps become in f32.
  int64_t growth = 1;
  for (const Processor* processor : placement)
    growth = std::max<int64_t>(growth, 4 / size_of(storage(processor->numbers())));
  // A crop of RGB in 16 bit, and what it becomes, twice.
  return map_bytes * growth * across / std::max(1, width) + across * down * 6 * (1 + 2 * scale * scale);
}

Result<Guard> Guard::create(const Model& model, std::span<const Processor* const> placement, Isa max,
                            ThreadPool& threads, int width, int height) {
  const Graph& graph = model.graph;
  const Conventions& conventions = model.conventions;
  const int first = conventions.bicubic_first ? conventions.scale : 1;
  const Shape& input = graph.tensors[size_t(graph.inputs[0])].shape;
  if (input.size() != 4) return bad_input("the network's input is no picture");
  const auto shapes = infer_shapes(graph, {{1, input[1], int64_t(height) * first, int64_t(width) * first}});
  if (!shapes) return shapes.error();
  auto state = std::unique_ptr<State>(new State{.model = &model,
                                                .placement = {placement.begin(), placement.end()},
                                                .max = max,
                                                .threads = &threads,
                                                .width = width,
                                                .height = height,
                                                .scale = conventions.scale,
                                                .halo = fye::halo(graph) + kBicubic,
                                                .reach = reach(model),
                                                .redo = {}});
  State& s = *state;
  s.global = std::any_of(graph.nodes.begin(), graph.nodes.end(), is_global);
  const int last = graph.producer(graph.outputs[0]);
  s.redo = {.model = &model,
            .threads = &threads,
            .width = width,
            .height = height,
            .before = s.global ? std::max(width, height) : s.reach,
            .behind = s.global ? std::max(width, height) : s.halo};
  for (const Node& node : graph.nodes) s.sizes.push_back(map_size((*shapes)[size_t(node.output)]));
  for (size_t n = 0; n < graph.nodes.size(); ++n) s.silent.push_back(may_be_silent(graph, graph.nodes[n]));
  s.step.assign(graph.nodes.size(), kGuardCell);
  // NaN passes through every kernel to the end, spreading to all pixels that look at it, and infinity becomes
  // NaN where weights of both signs meet. But the last convolution may clip it, so its inputs are looked at
  // as closely as the output.
  s.step[size_t(last)] = kClose;
  using Kind = Activation::Kind;
  for (int node = last; node != kNone;) {
    const Node& its = graph.nodes[size_t(node)];
    const Conv* conv = its.as<Conv>();
    if (!conv) {
      node = its.inputs.size() == 1 ? graph.producer(its.inputs[0]) : kNone;
      continue;
    }
    const auto hides = [](const Activation& act) {
      return act.kind != Kind::none && act.kind != Kind::prelu && act.kind != Kind::leaky_relu;
    };
    for (TensorId tensor : its.inputs)
      if (const int writer = graph.producer(tensor);
          writer != kNone && (hides(conv->act) || hides(conv->post)))
        s.step[size_t(writer)] = kClose;
    node = kNone;
  }
  return Guard(std::move(state));
}

void Guard::begin(int channels, int bits) {
  State& s = *state_;
  s.channels = channels;
  s.bits = bits;
  s.mistaken.assign(s.model->graph.nodes.size(), 0);
  s.mistaken_shift = s.mistaken_flat = 0;
  s.suspects.clear();
  s.report = {};
  s.in = {};
}

void Guard::input(const PixelRows& rows) { state_->in = rows; }

void Guard::see(int node, const Map& map) {
  State& s = *state_;
  if (s.tamper) s.tamper(node, map);
  const MapSize& size = s.sizes[size_t(node)];
  // Maps much smaller than the picture have no places.
  if (size.height * 8 < s.height || size.width * 8 < s.width || s.mistaken[size_t(node)] >= kEnough) return;
  find_suspects(node, map, size.height, size.width, s.in, s.height, s.step[size_t(node)],
                s.silent[size_t(node)], s.suspects);
}

int Guard::ready(int made) const {
  const State& s = *state_;
  if (made >= s.height * s.scale && s.in.end == s.height) return made;
  if (s.global) return 0;
  // Repairs read the rows below, too; and a sign that speaks for these rows may stand at the next point of
  // the grid.
  const int below = s.in.end == s.height ? s.height : s.in.end - s.halo;
  return std::max(0, std::min(made / s.scale - kGuardCell, below)) / kGuardCell * kGuardCell * s.scale;
}

int Guard::needed_from(int from) const {
  const State& s = *state_;
  return s.global ? 0 : std::max(0, from / s.scale / kGuardCell * kGuardCell - s.reach);
}

Status Guard::settle(const PixelRows& out, int from, int to) {
  State& s = *state_;
  if (from >= to) return {};
  const int first = from / s.scale / kGuardCell, end = (to / s.scale + kGuardCell - 1) / kGuardCell;
  const int across = s.cells_across();
  std::vector<Cell> cells(size_t(end - first) * size_t(across));
  s.threads->parallel_for(end - first, 1, [&](int64_t b, int64_t e) {
    for (int64_t cy = b; cy < e; ++cy)
      for (int cx = 0; cx < across; ++cx)
        cells[size_t(cy) * size_t(across) + size_t(cx)].signs = s.look(s.cell(first + int(cy), cx), out);
  });
  // A sign inside the network speaks for all patches that it may have reached, and for what lies between it
  // and the next point of the grid.
  const int spread = (s.global ? std::max(s.width, s.height) : s.reach) + kGuardCell;
  for (const Suspect& suspect : s.suspects) {
    const Region& r = suspect.region;
    const int top = std::max(first, (r.y - spread) / kGuardCell),
              bottom = std::min(end - 1, (r.y + r.h + spread) / kGuardCell);
    const int left = std::max(0, (r.x - spread) / kGuardCell),
              right = std::min(across - 1, (r.x + r.w + spread) / kGuardCell);
    for (int cy = top; cy <= bottom; ++cy)
      for (int cx = left; cx <= right; ++cx) {
        Cell& c = cells[size_t(cy - first) * size_t(across) + size_t(cx)];
        c.signs |= suspect.broken ? broken : inside;
        c.node = c.node == kNone ? suspect.node : std::min(c.node, suspect.node);
      }
  }
  std::erase_if(s.suspects, [&](const Suspect& suspect) {
    return suspect.region.y + suspect.region.h + spread < end * kGuardCell;
  });
  for (int cy = first; cy < end; ++cy)
    for (int cx = 0; cx < across;) {
      const std::span row(&cells[size_t(cy - first) * size_t(across)], size_t(across));
      int count = 0;
      while (cx + count < across && count < kTogether && row[size_t(cx + count)].signs != sound) ++count;
      if (count == 0) {
        ++cx;
        continue;
      }
      s.report.suspected += count;
      if (auto ok = s.repair(out, cy, cx, row.subspan(size_t(cx), size_t(count))); !ok) return ok;
      cx += count;
    }
  return {};
}

GuardReport Guard::report() const {
  GuardReport report = state_->report;
  if (const int more = report.repaired - kNotices; more > 0)
    report.notices.push_back(fmt::format("and {} more parts were computed again in float", more));
  return report;
}

void Guard::tamper(const Observer& observer, bool again) {
  state_->tamper = observer;
  state_->tamper_again = again;
}

}  // namespace fye
