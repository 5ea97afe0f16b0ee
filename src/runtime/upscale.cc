// The order of work: numbers -> memory -> network -> colours -> alpha -> another scale -> guard. A prepared
// network is kept as long as pictures of the same size come. Tested by runtime/upscale_test.cc.
#include "runtime/upscale.h"

#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "graph/region.h"
#include "image/alpha.h"
#include "image/resize.h"
#include "runtime/network.h"

namespace fye {
namespace {

// design.md: the default is the fastest format that loses no more than this against f32.
constexpr double kAllowedLossDb = 0.05;

// Bands of the whole width compute nothing twice, so they are preferred: usual ones, unless deep networks and
// wide pictures make them larger than this; then lower ones; where even one row is too much for the budget,
// the largest of these tile edges that fits it.
constexpr int64_t kLargeArena = int64_t{256} << 20;
constexpr int kTiles[] = {1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 16, 8};

// A picture whose input differs by more than this many 8-bit levels can't have a flat output.
constexpr int kFlatLevels = 8;

int64_t picture_bytes(int64_t width, int64_t height, int channels, int bits) {
  return width * height * channels * (bits / 8);
}

int64_t free_memory() {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return int64_t{1} << 30;
  return int64_t(info.freeram + info.bufferram) * info.mem_unit;
}

// Why the model can't be run in `numbers`; empty if it can.
std::string obstacle(const Model& model, Numbers numbers, Isa max) {
  auto processor = find_processor(fmt::format("cpu.{}", name(numbers)), max);
  if (!processor) return processor.error().what;
  if (storage(numbers) == DType::u8 && !model.calib) return "it has no int8 calibration (run fye calibrate)";
  for (const Node& node : model.graph.nodes)
    if (std::string why = (*processor)->supports(model.graph, node); !why.empty())
      return fmt::format("node \"{}\": {}", node.name, why);
  return {};
}

Numbers choose(const Model& model, Isa max) {
  for (Numbers numbers : {Numbers::int8, Numbers::int8r16, Numbers::bf16}) {
    const auto loss = model.conventions.loss_db.find(std::string(name(numbers)));
    if (loss != model.conventions.loss_db.end() && loss->second <= kAllowedLossDb &&
        obstacle(model, numbers, max).empty())
      return numbers;
  }
  return Numbers::f32;
}

struct Extremes {
  int lowest = 65535, highest = 0;
};
Extremes extremes(const Picture& picture) {
  Extremes e;
  const size_t step = picture.channels;
  const size_t colours = picture.has_alpha() ? step - 1 : step;
  for (size_t i = 0; i < picture.samples(); i += step)
    for (size_t c = 0; c < colours; ++c) {
      const int v = picture.bits == 8 ? picture.u8()[i + c] : picture.u16()[i + c];
      e.lowest = std::min(e.lowest, v);
      e.highest = std::max(e.highest, v);
    }
  return e;
}

bool flat_without_reason(const Picture& in, const Picture& out) {
  const Extremes before = extremes(in), after = extremes(out);
  const int levels = in.bits == 8 ? kFlatLevels : kFlatLevels * 257;
  return after.highest == after.lowest && before.highest - before.lowest > levels;
}

// For f32 and bf16 maps; integers are always finite. All exponent bits set is infinity or NaN in both
// formats.
bool all_finite(const Map& map) {
  bool finite = true;
  for (int y = map.region.y; y < map.region.y + map.region.h; ++y) {
    const int count = map.region.w * map.pitch;
    if (map.type == DType::f32) {
      const uint32_t* row = map.at<uint32_t>(y, map.region.x);
      for (int i = 0; i < count; ++i) finite &= (row[i] & 0x7f800000u) != 0x7f800000u;
    } else if (map.type == DType::bf16) {
      const uint16_t* row = map.at<uint16_t>(y, map.region.x);
      for (int i = 0; i < count; ++i) finite &= (row[i] & 0x7f80u) != 0x7f80u;
    }
  }
  return finite;
}

}  // namespace

struct Upscaler::State {
  const Model* model;
  UpscaleOptions options;
  ThreadPool* threads;
  Numbers numbers = Numbers::f32;
  std::vector<const Processor*> placement;

  // The last network prepared, and what for.
  std::optional<Network> network;
  int width = 0, height = 0, tile = 0;
  std::vector<const Processor*> network_placement;

  const StepDone* done() const { return options.step_done ? &options.step_done : nullptr; }

  Result<std::vector<const Processor*>> placement_in(Numbers format) const {
    auto processor = find_processor(fmt::format("cpu.{}", name(format)), options.max);
    if (!processor) return processor.error();
    return everywhere(model->graph, *processor);
  }

  // Prepares for a size; picks the tile by the budget, which the pictures themselves also come out of.
  Status prepare(int w, int h, int64_t pictures, const std::vector<const Processor*>& wanted) {
    if (network && width == w && height == h && network_placement == wanted) return {};
    network.reset();
    const int64_t budget = options.memory_bytes > 0 ? options.memory_bytes : free_memory() / 4 * 3;
    std::vector<ExecuteOptions> tries;
    if (options.tile > 0) {
      tries.push_back({.tile = options.tile});
    } else {
      tries.push_back({.band = kUsualBand, .band_bytes = kUsualBandBytes});
      const bool global = std::any_of(model->graph.nodes.begin(), model->graph.nodes.end(), is_global);
      if (!global)
        tries.push_back(
            {.band = 1, .band_bytes = size_t(std::clamp<int64_t>(budget - pictures, 0, kLargeArena))});
      const int least = std::max(8, 2 * halo(model->graph));
      for (int edge : kTiles)
        if (!global && edge >= least && edge < std::max(w, h)) tries.push_back({.tile = edge});
    }
    int64_t least_bytes = 0;
    for (ExecuteOptions how : tries) {
      how.width = w, how.height = h, how.max = options.max;
      auto made = Network::prepare(*model, wanted, how);
      if (!made) return made.error();
      const int64_t bytes = pictures + made->bytes();
      const bool large = how.band == kUsualBand && tries.size() > 1 && made->bytes() > kLargeArena;
      if (bytes <= budget && !large) {
        network.emplace(*std::move(made));
        width = w, height = h, tile = how.tile;
        network_placement = wanted;
        return {};
      }
      least_bytes = least_bytes ? std::min(least_bytes, bytes) : bytes;
    }
    constexpr int64_t kMega = 1'000'000;
    return resource_error(
        fmt::format("a {} x {} picture needs {} MB, and {} MB are allowed", w, h,
                    (least_bytes + kMega - 1) / kMega, budget / kMega),
        fmt::format("--mem {}M is the least that would do{}", (least_bytes + kMega - 1) / kMega,
                    options.tile > 0 ? " with this --tile" : ""));
  }
};

Upscaler::Upscaler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upscaler::Upscaler(Upscaler&&) noexcept = default;
Upscaler::~Upscaler() = default;

Result<Upscaler> Upscaler::create(const Model& model, const UpscaleOptions& options, ThreadPool& threads) {
  if (options.scale < 0 || options.scale > 16)
    return usage_error(fmt::format("scale {} is not between 1 and 16", options.scale));
  auto state = std::make_unique<State>();
  state->model = &model;
  state->options = options;
  state->threads = &threads;
  if (options.plan) {
    auto placement = placement_of(*options.plan, model.graph, options.max);
    if (!placement) return placement.error();
    state->placement = *std::move(placement);
    return Upscaler(std::move(state));
  }
  state->numbers = options.numbers.value_or(choose(model, options.max));
  if (std::string why = obstacle(model, state->numbers, options.max); !why.empty())
    return bad_input(fmt::format("{} can't run in {}: {}", model.name, name(state->numbers), why),
                     "--numbers f32 always works");
  auto placement = state->placement_in(state->numbers);
  if (!placement) return placement.error();
  state->placement = *std::move(placement);
  return Upscaler(std::move(state));
}

Numbers Upscaler::numbers() const { return state_->numbers; }

Result<Upscaled> Upscaler::run(const Picture& picture) {
  State& s = *state_;
  Upscaled result;
  UpscaleReport& report = result.report;
  report.numbers = s.numbers;
  report.planned = s.options.plan.has_value();
  std::vector<const Processor*> placement = s.placement;
  if (picture.bits == 16 && storage(s.numbers) == DType::u8 && !report.planned) {
    auto in_float = s.placement_in(Numbers::f32);
    if (!in_float) return in_float.error();
    placement = *std::move(in_float);
    report.numbers = Numbers::f32;
    report.notices.push_back(
        fmt::format("16-bit picture: runs in f32, since {} has 256 levels", name(s.numbers)));
  }

  const int own = s.model->conventions.scale;
  const int scale = s.options.scale > 0 ? s.options.scale : own;
  const int64_t pixels = int64_t(picture.width) * picture.height;
  // Input, colour part, network output, and where they exist alpha's and the resampled picture.
  const int64_t in_bytes = picture_bytes(picture.width, picture.height, picture.channels, picture.bits);
  const int64_t pictures =
      2 * in_bytes + in_bytes * own * own * (picture.has_alpha() ? 2 : 1) +
      (scale != own ? in_bytes * scale * scale + pixels * own * scale * picture.channels * 4 : 0);
  Stopwatch prepare_time;
  if (auto status = s.prepare(picture.width, picture.height, pictures, placement); !status)
    return status.error();
  report.prepare_ms = prepare_time.ms();
  report.tile = s.tile;
  report.arena_bytes = s.network->bytes();

  Stopwatch run_time;
  SplitPicture parts = split_alpha(bleed_under_alpha(picture));
  const bool has_alpha = parts.alpha.width > 0;
  const int64_t steps = int64_t(s.network->executor().pass_count()) * int64_t(s.model->graph.nodes.size()) *
                        (has_alpha ? 2 : 1);
  int64_t done = 0;
  // Kernels hand NaN on (their clamps keep it), so it is enough to look at the last map.
  bool broken = false;
  const int last = s.model->graph.producer(s.model->graph.outputs[0]);
  const Observer watch = [&](int node, const Map& map) {
    if (node == last) broken |= !all_finite(map);
    if (s.options.progress) s.options.progress(double(++done) / double(steps));
  };
  auto enlarge = [&](const Picture& part) -> Result<Picture> {
    Picture out(part.width * own, part.height * own, part.channels, part.bits);
    if (auto status = s.network->run(part, out, *s.threads, &watch, s.done()); !status) return status.error();
    return out;
  };
  auto colour = enlarge(parts.colour);
  if (!colour) return colour.error();
  if (broken)
    return bad_input(fmt::format("{}: the output has NaN or infinity; nothing was written", s.model->name),
                     "the weights of this model don't fit their format; try --numbers f32");
  if (flat_without_reason(parts.colour, *colour))
    return bad_input(
        fmt::format("{}: the output is flat although the picture is not; nothing was written", s.model->name),
        "check the model's --range and --colour");
  if (has_alpha) {
    auto alpha = enlarge(parts.alpha);
    if (!alpha) return alpha.error();
    auto joined = join_alpha(*std::move(colour), *alpha);
    if (!joined) return joined.error();
    colour = *std::move(joined);
  }
  if (scale != own) {
    report.notices.push_back(
        fmt::format("{} enlarges {} times; the rest, to {} times, is bicubic", s.model->name, own, scale));
    colour = resample_bicubic(*colour, picture.width * scale, picture.height * scale);
  }
  result.picture = *std::move(colour);
  result.picture.metadata = picture.metadata;
  report.run_ms = run_time.ms();
  return result;
}

Status Upscaler::run_into(const Picture& in, Picture& out) {
  State& s = *state_;
  if (auto status = s.prepare(in.width, in.height, int64_t(in.samples() + out.samples()), s.placement);
      !status)
    return status;
  return s.network->run(in, out, *s.threads, nullptr, s.done());
}

}  // namespace fye
