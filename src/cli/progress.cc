// One thread of its own keeps the line alive while the work says nothing: the time left counts down, and a JSON
// event comes every second. Tested by tests/bulk_progress_test.py.
#include "cli/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/clock.h"

namespace fye {
namespace {

constexpr double kQuietMs = 1000;        // shorter runs need no progress
constexpr double kRedrawMs = 100;        // faster than the eye follows
constexpr double kPlainLineMs = 10'000;  // log files stay short
constexpr double kEventMs = 500;         // events are promised every second; the rest is for a busy machine
constexpr int kBarCells = 24;            // leaves room for the words in 80 columns
constexpr size_t kUsualColumns = 80;

bool is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && !(kind && std::strcmp(kind, "dumb") == 0);
}

size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : kUsualColumns;
}

std::string bar(double fraction) {
  const int full = std::clamp(static_cast<int>(fraction * kBarCells), 0, kBarCells);
  return "[" + std::string(size_t(full), '#') + std::string(size_t(kBarCells - full), '.') + "]";
}

// Cut to `width` bytes, but not inside a UTF-8 character.
std::string cut(std::string line, size_t width) {
  if (line.size() <= width) return line;
  while (width > 0 && (static_cast<unsigned char>(line[width]) & 0xC0) == 0x80) --width;
  line.resize(width);
  return line;
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::optional<ProgressMode> progress_mode_from(const std::string& text) {
  if (text == "auto") return ProgressMode::automatic;
  if (text == "bar") return ProgressMode::bar;
  if (text == "json") return ProgressMode::json;
  if (text == "none") return ProgressMode::none;
  return {};
}

struct Progress::State {
  std::string what;
  ProgressMode mode = ProgressMode::automatic;
  bool terminal = false;
  Stopwatch watch;
  double next_ms = 0;     // nothing is written before
  size_t drawn = 0;       // bytes of the bar that stand on the terminal
  ProgressStep step;      // the last one
  double step_ms = 0;     // when it came
  bool begun = false;     // a step with a fraction above 0 has come
  double begin_ms = 0, begin_fraction = 0;
  bool ended = false, paused = false;
  std::mutex mutex;
  std::condition_variable wake;
  std::thread ticker;

  // Seconds, counted down since the last step; nothing while there is no telling.
  std::optional<double> left(double now) const {
    if (step.left_s) return std::max(0.0, *step.left_s - (now - step_ms) / 1000);
    if (!begun || step.fraction <= begin_fraction) return {};
    const double per_part = (step_ms - begin_ms) / 1000 / (step.fraction - begin_fraction);
    return std::max(0.0, per_part * (1 - step.fraction) - (now - step_ms) / 1000);
  }

  double interval() const {
    return mode == ProgressMode::json ? kEventMs : terminal ? kRedrawMs : kPlainLineMs;
  }

  void write(double now) {
    next_ms = now + interval();
    if (paused) return;
    if (mode == ProgressMode::json) {
      write_event("progress", now);
      return;
    }
    const auto seconds = left(now);
    const std::string words = fmt::format("{:.0f} %{}{}{}", std::floor(100 * step.fraction),
                                          step.text.empty() ? "" : ", ", step.text,
                                          seconds ? ", " + duration_text(*seconds) + " left" : "");
    if (terminal) {
      const std::string line = cut(fmt::format("{}: {} {}", what, bar(step.fraction), words), columns() - 1);
      fmt::print(stderr, "\r{:<{}}", line, std::max(drawn, line.size()));
      drawn = line.size();
    } else {
      fmt::print(stderr, "{}: {}\n", what, words);
    }
    std::fflush(stderr);
  }

  void write_event(const char* event, double now) {
    Json json = {{"event", event}, {"what", what}, {"fraction", step.fraction}, {"elapsed_s", now / 1000}};
    if (const auto seconds = left(now)) json["left_s"] = *seconds;
    if (!step.text.empty()) json["text"] = step.text;
    if (step.fields.is_object()) json.update(step.fields);
    fmt::print(stderr, "{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::fflush(stderr);
  }

  void clear() {
    if (drawn) fmt::print(stderr, "\r{}\r", std::string(drawn, ' '));
    drawn = 0;
    std::fflush(stderr);
  }

  void tick() {
    std::unique_lock lock(mutex);
    while (!ended) {
      const double wait = std::max(10.0, next_ms - watch.ms());
      wake.wait_for(lock, std::chrono::duration<double, std::milli>(wait));
      if (ended || watch.ms() < next_ms) continue;
      if (begun || mode == ProgressMode::json) {
        write(watch.ms());
      } else {
        next_ms = watch.ms() + kRedrawMs;
      }
    }
  }
};

Progress::Progress(std::string what, ProgressMode mode) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.what = std::move(what);
  s.mode = mode;
  s.terminal = is_terminal();
  if (mode == ProgressMode::none) return;
  s.next_ms = mode == ProgressMode::automatic ? kQuietMs : 0;
  if (mode == ProgressMode::json || s.terminal) s.ticker = std::thread([&s] { s.tick(); });
}

Progress::~Progress() {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    s.ended = true;
  }
  s.wake.notify_all();
  if (s.ticker.joinable()) s.ticker.join();
  if (s.mode == ProgressMode::json) s.write_event("end", s.watch.ms());
  s.clear();
}

void Progress::update(double fraction) { update(ProgressStep{fraction, {}, {}, {}}); }
void Progress::update(double fraction, std::string text) {
  update(ProgressStep{fraction, std::move(text), {}, {}});
}

void Progress::update(ProgressStep step) {
  State& s = *state_;
  if (s.mode == ProgressMode::none) return;
  const std::lock_guard lock(s.mutex);
  const double now = s.watch.ms();
  step.fraction = std::max(s.step.fraction, std::clamp(step.fraction, 0.0, 1.0));
  s.step = std::move(step);
  s.step_ms = now;
  if (!s.begun && s.step.fraction > 0) {
    s.begun = true;
    s.begin_ms = now, s.begin_fraction = s.step.fraction;
  }
  if (now >= s.next_ms && (s.begun || s.mode == ProgressMode::json)) s.write(now);
}

void Progress::pause(bool paused) {
  const std::lock_guard lock(state_->mutex);
  state_->paused = paused;
  if (paused) state_->clear();
}

void Progress::say(const std::string& line) {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  if (s.mode == ProgressMode::json) {
    const Json json = {{"event", "note"}, {"what", s.what}, {"text", line}};
    fmt::print(stderr, "{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    s.clear();
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
}

}  // namespace fye
