#include "cli/learned_plans.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/process.h"
#include "plan/book.h"
#include "plan/explain.h"
#include "plan/strategies.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Beside this program, else wherever PATH finds it.
std::string fye_train() {
  std::error_code problem;
  const fs::path self = fs::read_symlink("/proc/self/exe", problem);
  const fs::path beside = self.parent_path() / "fye-train";
  return !problem && fs::exists(beside, problem) ? beside.string() : "fye-train";
}

}  // namespace

Result<std::vector<PlanPoint>> learned_plans(const LearnRequest& request, const PlanProblem& problem) {
  std::error_code ignored;
  const fs::path out = fs::temp_directory_path(ignored) / fmt::format("fye-learned-{}.json", getpid());
  std::string processors;
  for (const std::string& name : problem.processors) processors += (processors.empty() ? "" : ",") + name;
  const auto done = run_process({.words = {fye_train(), "split", request.model, "--profile", request.profile,
                                           "--losses", request.losses, "--data", request.data, "--deadline",
                                           request.deadline, "--processors", processors, "--out", out},
                                 .environment = {}});
  if (!done) return done.error();
  if (!done->found)
    return usage_error("--strategy fye: there is no fye-train on this machine, which learns such plans",
                       "./install --all builds it; it needs libtorch");
  if (done->status != 0) {
    const bool known = done->status >= int(ErrorCode::usage) && done->status <= int(ErrorCode::internal);
    return Error{known ? ErrorCode(done->status) : ErrorCode::resources,
                 fmt::format("fye-train split ended with {}: {}", done->status, done->err), ""};
  }
  const auto book = read_book(out, "");
  fs::remove(out, ignored);
  if (!book) return book.error();
  std::vector<PlanPoint> points;
  for (const BookEntry& entry : book->entries) {
    auto assignment = assignment_of(problem, plan_of(*book, entry));
    if (!assignment) return assignment.error();
    points.push_back({*assignment, predicted_ms(problem, *assignment), predicted_loss(problem, *assignment)});
  }
  return front_of(std::move(points));
}

}  // namespace fye
