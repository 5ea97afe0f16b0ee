#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "base/clock.h"

namespace fye {
namespace {

constexpr double kQuietMs = 1000;        // shorter runs need no progress
constexpr double kRedrawMs = 100;        // faster than the eye follows
constexpr double kPlainLineMs = 10'000;  // log files stay short

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

struct Progress::State {
  std::string what;
  bool show = true, terminal = false, drawn = false;
  Stopwatch watch;
  double next_ms = kQuietMs;
  std::mutex mutex;
};

Progress::Progress(std::string what, bool show) : state_(std::make_unique<State>()) {
  state_->what = std::move(what);
  state_->show = show;
  state_->terminal = isatty(STDERR_FILENO) == 1;
}

Progress::~Progress() {
  if (state_->drawn && state_->terminal) fmt::print(stderr, "\r\033[K");
}

void Progress::update(double fraction) {
  const std::lock_guard lock(state_->mutex);
  const double now = state_->watch.ms();
  if (!state_->show || !(fraction > 0) || now < state_->next_ms) return;
  state_->next_ms = now + (state_->terminal ? kRedrawMs : kPlainLineMs);
  const std::string line = fmt::format("{}: {:.0f} %, {} left", state_->what, 100 * fraction,
                                       duration(now / 1000 * (1 - fraction) / fraction));
  if (state_->terminal) {
    fmt::print(stderr, "\r\033[K{}", line);
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
  state_->drawn = true;
}

}  // namespace fye
