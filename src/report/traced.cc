// Tested by report/traced_test.cc.
#include "report/traced.h"

#include "base/clock.h"

namespace fye {
namespace {

// A session wants a deadline; without one, none that a picture could miss.
constexpr double kNoDeadline = 1e15;

// A book of this plan alone, which is predicted to be in time.
Book book_of(const Model& model, const Plan& plan, double deadline_ms) {
  Book book;
  book.graph_sha256 = model.graph.sha256;
  BookEntry entry;
  entry.ms = deadline_ms;
  for (const PlanStep& step : plan.steps)
    for (const std::string& unit : step.units) {
      book.units.push_back(unit);
      entry.processor.push_back(step.processor);
    }
  book.entries = {std::move(entry)};
  return book;
}

}  // namespace

Result<std::vector<TracedRun>> run_traced(const Model& model, const std::vector<Plan>& plans, const Picture& picture,
                                          const TracedOptions& options, ThreadPool& threads,
                                          const std::function<void(double)>& progress) {
  std::vector<BookSession> sessions;
  const double deadline = options.deadline_ms > 0 ? options.deadline_ms : kNoDeadline;
  for (const Plan& plan : plans) {
    BookSessionOptions how;
    how.deadline_ms = deadline;
    how.upscale = options.upscale;
    auto session = BookSession::create(model, book_of(model, plan, deadline), how, threads);
    if (!session) return session.error();
    sessions.push_back(*std::move(session));
    if (auto warm = sessions.back().warm_up(picture); !warm) return warm.error();
  }
  std::vector<TracedRun> runs(plans.size());
  const Stopwatch watch;
  for (int round = 0; round < options.rounds && (round == 0 || watch.ms() < 1000 * options.seconds); ++round) {
    for (size_t p = 0; p < plans.size(); ++p) {
      FrameTrace& frame = runs[p].frames.emplace_back();
      auto big = sessions[p].run(picture, &frame);
      if (!big) return big.error();
      runs[p].picture = std::move(big->picture);
      runs[p].report = std::move(big->report);
      if (progress) progress((round + double(p + 1) / double(plans.size())) / options.rounds);
    }
  }
  return runs;
}

}  // namespace fye
