#include "cli/learned_plans.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/model_folders.h"
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

// The network that imitates PIQE: the model's own folder may have one, else it is the shipped one. Empty: fye-train
// says what is missing.
fs::path estimator_for(const fs::path& model) {
  std::vector<fs::path> folders{model.parent_path()};
  for (const fs::path& folder : model_folders()) folders.push_back(folder);
  std::error_code ignored;
  for (const fs::path& folder : folders)
    if (const fs::path file = folder / "training" / "estimator.pt"; fs::exists(file, ignored)) return file;
  return {};
}

}  // namespace

Result<std::vector<PlanPoint>> learned_plans(const LearnRequest& request, const PlanProblem& problem) {
  std::error_code ignored;
  const fs::path out = fs::temp_directory_path(ignored) / fmt::format("fye-learned-{}.json", getpid());
  std::string processors;
  for (const std::string& name : problem.processors) processors += (processors.empty() ? "" : ",") + name;
  Command command{
      .words = {fye_train(), "split", request.model, "--profile", request.profile, "--losses", request.losses,
                "--data", request.data, "--deadline", request.deadline, "--processors", processors, "--out", out},
      .environment = {},
      .show_err = true};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) command.words.insert(command.words.end(), {option, value});
  };
  add("--budget", request.budget);
  add("--estimator", estimator_for(request.model));
  const auto done = run_process(command);
  if (!done) return done.error();
  if (!done->found)
    return usage_error("--strategy fye: there is no fye-train on this machine, which learns such plans",
                       "./install --all builds it; it needs libtorch");
  // A budget that ran out leaves the best plan so far.
  const bool cut_short = done->status == int(ErrorCode::partial) && fs::exists(out, ignored);
  if (done->status != 0 && !cut_short) {
    const bool known = done->status >= int(ErrorCode::usage) && done->status <= int(ErrorCode::internal);
    return Error{known ? ErrorCode(done->status) : ErrorCode::resources,
                 fmt::format("fye-train split ended with {}", done->status), "what it said stands above"};
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
