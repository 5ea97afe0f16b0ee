// The order of work: numbers -> memory -> network -> colours -> alpha -> another scale -> guard. A prepared
// network is kept as long as pictures of the same size come. Tested by runtime/upscale_test.cc.
#include "runtime/upscale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/clock.h"
#include "base/memory.h"
#include "graph/region.h"
#include "image/alpha.h"
#include "image/resize.h"
#include "runtime/upscale_state.h"

namespace fye {
namespace {

// design.md: the default is the fastest format that loses no more than this against f32.
constexpr double kAllowedLossDb = 0.05;

// Where even one row is too much for the budget, the largest of these tile edges that fits it.
constexpr int kTiles[] = {1024, 768, 512, 384, 256, 192, 128, 96, 64, 48, 32, 16, 8};

int64_t bytes_of(int64_t width, int64_t height, int channels, int bits) {
  return width * height * channels * (bits / 8);
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

// From the darkest to the brightest sample of the colour that varies most: nothing in a picture of one
// colour, whatever it is.
int largest_range(const Picture& picture) {
  const size_t step = picture.channels;
  const size_t colours = picture.has_alpha() ? step - 1 : step;
  int largest = 0;
  for (size_t c = 0; c < colours; ++c) {
    int lowest = 65535, highest = 0;
    for (size_t i = c; i < picture.samples(); i += step) {
      const int v = picture.bits == 8 ? picture.u8()[i] : picture.u16()[i];
      lowest = std::min(lowest, v);
      highest = std::max(highest, v);
    }
    largest = std::max(largest, highest - lowest);
  }
  return largest;
}

// The first two pixels that differ settle it for almost every picture.
bool flat_without_reason(const Picture& in, const Picture& out) {
  const size_t pixel = size_t(out.channels) * size_t(out.bits / 8);
  for (size_t at = pixel; at < out.bytes.size(); at += pixel)
    if (std::memcmp(&out.bytes[at], out.bytes.data(), pixel) != 0) return false;
  return largest_range(in) > flat_levels(in.bits);
}

}  // namespace

Error flat_output(const std::string& model) {
  return bad_input(
      fmt::format("{}: the output is flat although the picture is not; nothing was written", model),
      "check the model's --range and --colour");
}

Error too_little_memory(int width, int height, int64_t least, int64_t allowed, const std::string& why) {
  constexpr int64_t kMega = 1'000'000;
  const int64_t megas = (least + kMega - 1) / kMega;
  return resource_error(fmt::format("a {} x {} picture needs {} MB, and {} MB are allowed{}", width, height,
                                    megas, allowed / kMega, why),
                        fmt::format("--mem {}M is the least that would do", megas));
}

int64_t Upscaler::State::budget() const {
  return options.memory_bytes > 0 ? options.memory_bytes : free_bytes() / 4 * 3;
}

Result<std::vector<const Processor*>> Upscaler::State::placement_in(Numbers format) const {
  auto processor = find_processor(fmt::format("cpu.{}", name(format)), options.max);
  if (!processor) return processor.error();
  return everywhere(model->graph, *processor);
}

Result<std::vector<const Processor*>> Upscaler::State::placement_for(int bits, UpscaleReport& report) const {
  report.numbers = numbers;
  report.planned = options.plan.has_value();
  if (bits != 16 || storage(numbers) != DType::u8 || report.planned) return placement;
  report.numbers = Numbers::f32;
  report.notices.push_back(
      fmt::format("16-bit picture: runs in f32, since {} has 256 levels", name(numbers)));
  return placement_in(Numbers::f32);
}

void Upscaler::State::note_scale(UpscaleReport& report) const {
  if (scale() != own_scale())
    report.notices.push_back(fmt::format("{} enlarges {} times; the rest, to {} times, is bicubic",
                                         model->name, own_scale(), scale()));
}

Result<Guard> Upscaler::State::make_guard(int w, int h, std::span<const Processor* const> wanted) const {
  auto made = Guard::create(*model, wanted, options.max, *threads, w, h);
  if (made && tamper) made->tamper(tamper, tamper_again);
  return made;
}

void Upscaler::State::note_guard(const Guard& watch, UpscaleReport& report) const {
  const GuardReport seen = watch.report();
  report.suspected += seen.suspected;
  report.repaired += seen.repaired;
  report.notices.insert(report.notices.end(), seen.notices.begin(), seen.notices.end());
}

int64_t Upscaler::State::picture_bytes(int w, int h, int channels, int bits) const {
  const int64_t own = own_scale(), wanted = scale();
  const int64_t in = bytes_of(w, h, channels, bits), alpha = channels % 2 == 0 ? 2 : 1;
  return 2 * in + in * own * own * alpha + (wanted != own ? in * wanted * wanted : 0);
}

Status Upscaler::State::prepare(int w, int h, int64_t pictures, int64_t allowed,
                                const std::vector<const Processor*>& wanted) {
  if (network && width == w && height == h && network_placement == wanted) return {};
  network.reset();
  const auto keep = [&](Network made, int edge) -> Status {
    auto watch = make_guard(w, h, wanted);
    if (!watch) return watch.error();
    guard.emplace(*std::move(watch));
    network.emplace(std::move(made));
    width = w, height = h, tile = edge;
    network_placement = wanted;
    return {};
  };
  if (shared) {
    auto made = Network::prepare(*model, *shared, {.height = h, .width = w, .max = options.max});
    if (!made) return made.error();
    const int64_t bytes = pictures + made->bytes();
    if (bytes > allowed)
      return too_little_memory(w, h, bytes, allowed,
                               ": a plan whose processors work side by side holds whole maps");
    return keep(*std::move(made), 0);
  }
  std::vector<ExecuteOptions> tries;
  if (options.tile > 0) {
    tries.push_back({.tile = options.tile});
  } else {
    tries.push_back({.band = kUsualBand, .band_bytes = kUsualBandBytes, .whole_if_smaller = true});
    const bool global = std::any_of(model->graph.nodes.begin(), model->graph.nodes.end(), is_global);
    if (!global)
      tries.push_back(
          {.band = 1, .band_bytes = size_t(std::clamp<int64_t>(allowed - pictures, 0, kLargeArena))});
    const int least = std::max(8, 2 * halo(model->graph));
    for (int edge : kTiles)
      if (!global && edge >= least && edge < std::max(w, h)) tries.push_back({.tile = edge});
  }
  int64_t least_bytes = 0;
  for (ExecuteOptions how : tries) {
    how.width = w, how.height = h, how.max = options.max, how.stop = options.stop;
    auto made = Network::prepare(*model, wanted, how);
    if (!made) return made.error();
    const int64_t bytes = pictures + made->bytes();
    const bool large = how.band == kUsualBand && tries.size() > 1 && made->bytes() > kLargeArena;
    if (bytes <= allowed && !large) return keep(*std::move(made), how.tile);
    least_bytes = least_bytes ? std::min(least_bytes, bytes) : bytes;
  }
  return too_little_memory(w, h, least_bytes, allowed, options.tile > 0 ? " with this --tile" : "");
}

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
  if (options.plan && is_shared(*options.plan)) {
    if (options.tile > 0)
      return usage_error(
          "--tile can't be had with a plan whose processors work side by side: it goes over whole pictures",
          "leave --tile out");
    auto work = work_of(*options.plan, model.graph, options.max);
    if (!work) return work.error();
    state->shared = *std::move(work);
    auto placement = state->placement_in(Numbers::f32);
    if (!placement) return placement.error();
    state->placement = *std::move(placement);
    return Upscaler(std::move(state));
  }
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
  const auto placement = s.placement_for(picture.bits, report);
  if (!placement) return placement.error();
  const int own = s.own_scale(), scale = s.scale();
  Stopwatch prepare_time;
  const int64_t pictures = s.picture_bytes(picture.width, picture.height, picture.channels, picture.bits);
  if (auto status = s.prepare(picture.width, picture.height, pictures, s.budget(), *placement); !status)
    return status.error();
  report.prepare_ms = prepare_time.ms();
  report.tile = s.tile;
  report.arena_bytes = s.network->bytes();

  Stopwatch run_time;
  SplitPicture parts = split_alpha(bleed_under_alpha(picture));
  const bool has_alpha = parts.alpha.width > 0;
  const int64_t steps =
      int64_t(s.network->pass_count()) * int64_t(s.model->graph.nodes.size()) * (has_alpha ? 2 : 1);
  int64_t done = 0;
  Guard& guard = *s.guard;
  const Observer watch = [&](int node, const Map& map) {
    if (!s.unguarded) guard.see(node, map);
    if (s.options.progress) s.options.progress(double(++done) / double(steps));
  };
  auto enlarge = [&](Picture& part) -> Result<Picture> {
    Picture out(part.width * own, part.height * own, part.channels, part.bits);
    const auto rows = [](Picture& p) { return PixelRows{p.u8(), 0, p.height, p.width, p.channels, p.bits}; };
    guard.begin(part.channels, part.bits);
    guard.input(rows(part));
    if (auto status = s.network->run(part, out, *s.threads, &watch, s.done()); !status) return status.error();
    if (s.unguarded) return out;
    if (auto status = guard.settle(rows(out), 0, out.height); !status) return status.error();
    s.note_guard(guard, report);
    return out;
  };
  auto colour = enlarge(parts.colour);
  if (!colour) return colour.error();
  if (flat_without_reason(parts.colour, *colour)) return flat_output(s.model->name);
  if (has_alpha) {
    auto alpha = enlarge(parts.alpha);
    if (!alpha) return alpha.error();
    auto joined = join_alpha(*std::move(colour), *alpha);
    if (!joined) return joined.error();
    colour = *std::move(joined);
  }
  if (scale != own) {
    s.note_scale(report);
    colour = resample_bicubic(*colour, picture.width * scale, picture.height * scale);
  }
  result.picture = *std::move(colour);
  result.picture.metadata = picture.metadata;
  report.run_ms = run_time.ms();
  return result;
}

Status Upscaler::run_into(const Picture& in, Picture& out) {
  State& s = *state_;
  if (auto status =
          s.prepare(in.width, in.height, int64_t(in.samples() + out.samples()), s.budget(), s.placement);
      !status)
    return status;
  return s.network->run(in, out, *s.threads, nullptr, s.done());
}

}  // namespace fye
