// Around runtime/upscale.h: checks, turns, and plans for a deadline by the picture's size. Tested by
// fye/fye_test.cc: the same bytes as the rooms give.
#include <fmt/format.h>

#include <cmath>
#include <mutex>
#include <optional>
#include <string_view>

#include "fye/inside.h"
#include "runtime/measuring.h"
#include "runtime/upscale.h"

namespace fye::v0 {
namespace {

constexpr int kMostThreads = 1024;  // as --threads

Status check(const Options& o) {
  if (o.scale < 0 || o.scale > 16)
    return usage_error(fmt::format("scale {} is not between 1 and 16", o.scale), "0 is the network's own");
  if (o.numbers != "auto" && !numbers_from(o.numbers))
    return usage_error(fmt::format("fye has no number format \"{}\"", o.numbers),
                       "choose auto, f32, bf16, int8 or int8r16");
  if (o.threads < 0 || o.threads > kMostThreads)
    return usage_error(fmt::format("{} threads are not between 1 and {}", o.threads, kMostThreads),
                       "0 is all cores");
  if (o.tile < 0 || o.tile > 65535)
    return usage_error(fmt::format("tile {} is not between 0 and 65535", o.tile));
  if (o.memory_bytes < 0) return usage_error(fmt::format("{} bytes of memory are below 0", o.memory_bytes));
  if (!o.deadline_ms) {
    if (!o.book.empty()) return usage_error("a book is for a deadline", "give deadline_ms too");
    return {};
  }
  if (!(*o.deadline_ms > 0) || !std::isfinite(*o.deadline_ms))
    return usage_error(fmt::format("a deadline of {} ms is no time above 0", *o.deadline_ms));
  if (o.numbers != "auto") return usage_error("a deadline chooses the numbers itself", "leave numbers out");
  return {};
}

UpscaleOptions room_options(const Options& o) {
  UpscaleOptions options;
  if (o.numbers != "auto") options.numbers = numbers_from(o.numbers);
  options.scale = o.scale;
  options.tile = o.tile;
  options.memory_bytes = o.memory_bytes;
  options.progress = o.progress;
  options.stop = o.stop;
  return options;
}

}  // namespace

struct Upscaler::State {
  State(const Model& m, const Options& o) : model(m), options(o), threads(o.threads) {}

  std::mutex turn;
  Model model;
  Options options;
  ThreadPool threads;
  std::optional<fye::Upscaler> upscaler;
  // Under a deadline, what `upscaler` is for.
  int width = 0, height = 0;
  std::vector<std::string> notices;

  const fye::Model& network() const { return Access::of(model).model; }

  Status prepare(const UpscaleOptions& how) {
    auto made = fye::Upscaler::create(network(), how, threads);
    if (!made) return made.error();
    upscaler.emplace(*std::move(made));
    return {};
  }

  // An upscaler with the plan for pictures of this size, and one run of it that nobody waits for.
  Status prepare_in_time(const fye::Picture& picture) {
    if (upscaler && picture.width == width && picture.height == height) return {};
    const auto found =
        book_for(options.book.string(), Access::of(model).file, network().name, network().graph.sha256,
                 picture.width, picture.height, this_machine(threads.size()), false);
    if (!found) return found.error();
    auto plan = plan_within(*found, picture.width, picture.height, *options.deadline_ms);
    if (!plan) return plan.error();
    UpscaleOptions how = room_options(options);
    how.plan = *std::move(plan);
    if (Status made = prepare(how); !made) return made;
    width = picture.width, height = picture.height;
    notices = found->notices;
    if (*options.deadline_ms > kPracticeMs) return {};
    const auto practice = upscaler->run(picture);
    return practice ? Status() : Status(practice.error());
  }

  Result<Enlarged> run(const fye::Picture& picture) {
    const std::lock_guard<std::mutex> mine(turn);
    if (options.deadline_ms)
      if (Status ready = prepare_in_time(picture); !ready) return ready.error();
    auto result = upscaler->run(picture);
    if (!result) return result.error();
    const UpscaleReport& of = result->report;
    Report report{.numbers = of.planned ? "plan" : std::string(name(of.numbers)),
                  .threads = threads.size(),
                  .tile = of.tile,
                  .prepare_ms = of.prepare_ms,
                  .run_ms = of.run_ms,
                  .late = options.deadline_ms && of.run_ms > *options.deadline_ms,
                  .notices = notices};
    report.notices.insert(report.notices.end(), of.notices.begin(), of.notices.end());
    return Enlarged{Access::make(std::move(result->picture)), std::move(report)};
  }
};

Upscaler::Upscaler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upscaler::Upscaler(Upscaler&&) noexcept = default;
Upscaler& Upscaler::operator=(Upscaler&&) noexcept = default;
Upscaler::~Upscaler() = default;

Result<Upscaler> Upscaler::create(const Model& model, const Options& options) {
  return walled([&]() -> Result<Upscaler> {
    if (Status right = check(options); !right) return right.error();
    auto state = std::make_unique<State>(model, options);
    if (!options.deadline_ms)
      if (Status made = state->prepare(room_options(options)); !made) return made.error();
    return Upscaler(std::move(state));
  });
}

Result<Enlarged> Upscaler::run(const Pixels& pixels) {
  return walled([&]() -> Result<Enlarged> {
    if (!state_) return usage_error("the upscaler has been moved away");
    const auto picture = inside::to_picture(pixels);
    if (!picture) return picture.error();
    return state_->run(*picture);
  });
}

Result<Enlarged> Upscaler::run(const Picture& picture) {
  return walled([&]() -> Result<Enlarged> {
    if (!state_ || Access::gone(picture))
      return usage_error("the upscaler or the picture has been moved away");
    return state_->run(Access::of(picture));
  });
}

}  // namespace fye::v0
