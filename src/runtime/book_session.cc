// Tested by runtime/book_session_test.cc: pictures equal those of the plans run alone, traces add up.
#include "runtime/book_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>

#include "base/clock.h"
#include "graph/units.h"

namespace fye {

struct BookSession::State {
  const Model* model;
  double deadline;
  std::vector<int> entries;
  std::list<Upscaler>
      rungs;  // as entries; an Upscaler holds a pointer to `steps` below, so nothing here moves
  std::optional<DeadlineKeeper> keeper;
  int frame = 0;

  // Accounts of the picture that runs.
  std::vector<std::string> unit_of;  // by node
  FrameTrace* trace = nullptr;
  double since = 0;
  Stopwatch watch;

  void step_done(int node, TensorId tensor) {
    if (!trace) return;
    const double now = watch.ms(), took = now - since;
    since = now;
    if (node != kNone)
      trace->units[unit_of[size_t(node)]] += took;
    else if (tensor != kNone)
      trace->hand_overs[model->graph.tensors[size_t(tensor)].name] += took;
    else
      trace->moving += took;
  }
};

BookSession::BookSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
BookSession::BookSession(BookSession&&) noexcept = default;
BookSession::~BookSession() = default;

Result<BookSession> BookSession::create(const Model& model, const Book& book,
                                        const BookSessionOptions& options, ThreadPool& threads) {
  if (!(options.deadline_ms > 0))
    return usage_error(fmt::format("{} ms is no deadline", options.deadline_ms), "give a time above 0");
  if (book.entries.empty()) return bad_input("the book has no plans");
  // Plans beyond the deadline on an idle machine are of no use.
  Book usable = book;
  usable.entries.clear();
  for (const BookEntry& entry : book.entries)
    if (entry.best_ms() * options.scale <= options.deadline_ms) usable.entries.push_back(entry);
  if (usable.entries.empty()) {
    const double fastest = book.entries.front().best_ms() * options.scale;
    return Error{ErrorCode::deadline,
                 fmt::format("no plan meets {:.2f} ms: the fastest takes {:.2f} ms, {:.2f} more",
                             options.deadline_ms, fastest, fastest - options.deadline_ms),
                 fmt::format("--deadline {:.2f}ms can be met", std::ceil(fastest * 100) / 100)};
  }
  auto state = std::make_unique<State>();
  State& s = *state;
  s.model = &model;
  s.deadline = options.deadline_ms;
  s.unit_of.resize(model.graph.nodes.size());
  for (const Unit& unit : units_of(model.graph))
    for (int node : unit.nodes) s.unit_of[size_t(node)] = unit.name;
  s.entries = spread_entries(usable, options.plans);
  std::vector<double> times;
  for (int entry : s.entries) {
    UpscaleOptions upscale = options.upscale;
    upscale.plan = plan_of(usable, usable.entries[size_t(entry)]);
    upscale.step_done = [&s](int node, TensorId tensor) { s.step_done(node, tensor); };
    auto upscaler = Upscaler::create(model, upscale, threads);
    if (!upscaler) return upscaler.error();
    s.rungs.push_back(*std::move(upscaler));
    times.push_back(usable.entries[size_t(entry)].best_ms() * options.scale);
    if (times.size() > 1) times.back() = std::max(times.back(), times[times.size() - 2]);
  }
  auto keeper = DeadlineKeeper::create(times, options.deadline_ms, options.keeper);
  if (!keeper) return keeper.error();
  s.keeper.emplace(*std::move(keeper));
  return BookSession(std::move(state));
}

Status BookSession::warm_up(const Picture& picture) {
  for (Upscaler& rung : state_->rungs)
    if (auto done = rung.run(picture); !done) return done.error();
  return {};
}

Result<Upscaled> BookSession::run(const Picture& picture, FrameTrace* trace) {
  State& s = *state_;
  const int rung = s.keeper->rung();
  if (trace) *trace = {};
  s.trace = trace;
  s.watch = {};
  s.since = 0;
  auto result = std::next(s.rungs.begin(), rung)->run(picture);
  const double ms = s.watch.ms();
  s.trace = nullptr;
  if (!result) return result;
  s.keeper->took(ms);
  const int frame = s.frame++;
  if (!trace) return result;
  trace->frame = frame;
  trace->entry = s.entries[size_t(rung)];
  trace->ms = ms;
  trace->deadline_ms = s.deadline;
  trace->late = ms > s.deadline;
  double claimed = trace->moving;
  for (const auto& [unit, took] : trace->units) claimed += took;
  for (const auto& [tensor, took] : trace->hand_overs) claimed += took;
  trace->rest = std::max(0., ms - claimed);
  return result;
}

const DeadlineKeeper& BookSession::keeper() const { return *state_->keeper; }
const std::vector<int>& BookSession::entries() const { return state_->entries; }

}  // namespace fye
