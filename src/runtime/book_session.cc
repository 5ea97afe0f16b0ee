// Tested by runtime/book_session_test.cc: pictures equal those of the plans run alone, traces add up.
#include "runtime/book_session.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <numeric>

#include "base/clock.h"
#include "graph/units.h"

namespace fye {
namespace {

// A plan that is predicted to be late by less than this may still be in time: 95 of 100 predictions are this
// good (docs/results.md). It is prepared too, and used once pictures have shown that it is.
constexpr double kPredictionError = 1.12;

// Rounds of the warm-up that are timed, if all plans together have taken at most so long the first time.
constexpr int kRounds = 5;
constexpr double kQuickMs = 1000;

// Of all threads of this process.
double processor_ms() {
  timespec t = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * double(t.tv_sec) + 1e-6 * double(t.tv_nsec);
}

}  // namespace

struct BookSession::State {
  struct Rung {
    Upscaler upscaler;
    int64_t bytes = 0;
  };
  const Model* model;
  int threads = 1;
  double deadline;
  std::vector<int> entries;
  std::list<Rung> rungs;  // as entries; their step_done points here, so nothing here moves
  std::optional<DeadlineKeeper> keeper;
  int frame = 0;

  // Accounts of the picture that runs.
  std::vector<std::string> unit_of;  // by node
  FrameTrace* trace = nullptr;
  bool begun = false;
  double since = 0, worked = 0;
  Stopwatch watch;

  void begin(FrameTrace* into) {
    trace = into;
    begun = false;
    if (into) *into = {};
    watch = {};
    since = 0;
    worked = into ? processor_ms() : 0;
  }

  // The time since the last row, less what was waited.
  double share() {
    const double now = watch.ms(), work = processor_ms();
    const double wall = now - since, mean = std::min(wall, (work - worked) / threads);
    trace->waiting += wall - mean;
    since = now;
    worked = work;
    return mean;
  }

  void step_done(int node, TensorId tensor) {
    if (!trace) return;
    const double ms = share();
    if (node != kNone)
      trace->units[unit_of[size_t(node)]] += ms;
    else if (tensor != kNone)
      trace->hand_overs[model->graph.tensors[size_t(tensor)].name] += ms;
    else
      (begun ? trace->moving : trace->around) += ms;
    begun = true;
  }

  // The picture's milliseconds.
  double end(int entry) {
    if (!trace) return watch.ms();
    FrameTrace& t = *trace;
    t.around += share();
    trace = nullptr;
    t.frame = frame;
    t.entry = entry;
    t.ms = since;
    t.deadline_ms = deadline;
    t.late = t.ms > deadline;
    double claimed = t.moving + t.around + t.waiting;
    for (const auto& [unit, took] : t.units) claimed += took;
    for (const auto& [tensor, took] : t.hand_overs) claimed += took;
    t.rest = t.ms - claimed;
    return t.ms;
  }

  Result<Upscaled> run(Rung& rung, const Picture& picture) {
    auto result = rung.upscaler.run(picture);
    if (result) rung.bytes = result->report.arena_bytes;
    return result;
  }
};

BookSession::BookSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
BookSession::BookSession(BookSession&&) noexcept = default;
BookSession::~BookSession() = default;

namespace {

// Entries of the book to prepare: some within the deadline, and the truest that may yet prove to be.
Result<std::vector<int>> entries_for(const Book& book, const BookSessionOptions& options) {
  Book usable = book;
  usable.entries.clear();
  std::vector<int> index;
  int beyond = -1;
  for (size_t e = 0; e < book.entries.size(); ++e) {
    const double ms = book.entries[e].best_ms() * options.scale;
    if (ms <= options.deadline_ms) {
      usable.entries.push_back(book.entries[e]);
      index.push_back(int(e));
    } else if (ms <= kPredictionError * options.deadline_ms) {
      beyond = int(e);
    }
  }
  if (usable.entries.empty()) {
    double fastest = book.entries.front().best_ms();
    for (const BookEntry& entry : book.entries) fastest = std::min(fastest, entry.best_ms());
    fastest *= options.scale;
    return Error{ErrorCode::deadline,
                 fmt::format("no plan meets {:.2f} ms: the fastest takes {:.2f} ms, {:.2f} more",
                             options.deadline_ms, fastest, fastest - options.deadline_ms),
                 fmt::format("--deadline {:.2f}ms can be met", std::ceil(fastest * 100) / 100)};
  }
  std::vector<int> entries;
  for (const int e : spread_entries(usable, options.plans)) entries.push_back(index[size_t(e)]);
  if (beyond >= 0 && options.plans > 1) entries.push_back(beyond);
  // Measurements may contradict the book's order.
  std::stable_sort(entries.begin(), entries.end(), [&](int a, int b) {
    return book.entries[size_t(a)].best_ms() < book.entries[size_t(b)].best_ms();
  });
  return entries;
}

}  // namespace

Result<BookSession> BookSession::create(const Model& model, const Book& book,
                                        const BookSessionOptions& options, ThreadPool& threads) {
  if (!(options.deadline_ms > 0))
    return usage_error(fmt::format("{} ms is no deadline", options.deadline_ms), "give a time above 0");
  if (book.entries.empty()) return bad_input("the book has no plans");
  auto entries = entries_for(book, options);
  if (!entries) return entries.error();
  auto state = std::make_unique<State>();
  State& s = *state;
  s.model = &model;
  s.threads = threads.size();
  s.deadline = options.deadline_ms;
  s.unit_of.resize(model.graph.nodes.size());
  for (const Unit& unit : units_of(model.graph))
    for (int node : unit.nodes) s.unit_of[size_t(node)] = unit.name;
  s.entries = *std::move(entries);
  std::vector<double> times;
  for (const int e : s.entries) {
    const BookEntry& entry = book.entries[size_t(e)];
    UpscaleOptions upscale = options.upscale;
    upscale.plan = plan_of(book, entry);
    upscale.step_done = [&s](int node, TensorId tensor) { s.step_done(node, tensor); };
    auto upscaler = Upscaler::create(model, upscale, threads);
    if (!upscaler) return upscaler.error();
    s.rungs.push_back({*std::move(upscaler)});
    times.push_back(entry.best_ms() * options.scale);
  }
  auto keeper = DeadlineKeeper::create(times, options.deadline_ms, options.keeper);
  if (!keeper) return keeper.error();
  s.keeper.emplace(*std::move(keeper));
  return BookSession(std::move(state));
}

Status BookSession::warm_up(const Picture& picture) {
  State& s = *state_;
  const Stopwatch first;
  for (State::Rung& rung : s.rungs)
    if (auto done = s.run(rung, picture); !done) return done.error();
  if (first.ms() > kQuickMs) return {};
  // In turns, so that a load that comes meanwhile is shared.
  std::vector<std::vector<double>> times(s.rungs.size());
  for (int round = 0; round < kRounds; ++round) {
    auto time = times.begin();
    for (State::Rung& rung : s.rungs) {
      const Stopwatch watch;
      if (auto done = s.run(rung, picture); !done) return done.error();
      (time++)->push_back(watch.ms());
    }
  }
  std::vector<double> medians;
  for (const std::vector<double>& rung : times)
    medians.push_back(std::max(median(rung), medians.empty() ? 0. : medians.back()));
  return s.keeper->replan(std::move(medians));
}

Result<Upscaled> BookSession::run(const Picture& picture, FrameTrace* trace) {
  State& s = *state_;
  const int rung = s.keeper->rung();
  s.begin(trace);
  auto result = s.run(*std::next(s.rungs.begin(), rung), picture);
  const double ms = s.end(s.entries[size_t(rung)]);
  if (!result) return result;
  s.keeper->took(ms);
  ++s.frame;
  return result;
}

const DeadlineKeeper& BookSession::keeper() const { return *state_->keeper; }
const std::vector<int>& BookSession::entries() const { return state_->entries; }

int64_t BookSession::bytes() const {
  return std::accumulate(state_->rungs.begin(), state_->rungs.end(), int64_t{0},
                         [](int64_t sum, const State::Rung& rung) { return sum + rung.bytes; });
}

}  // namespace fye
