// What fye report takes its figures from: files that were named, what is kept on this machine, or the command that
// would make what is not there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/model_options.h"
#include "report/report.h"

namespace fye {

struct ReportFiles {
  std::string profile, losses, book;  // empty: what is kept, if anything is
  std::string original;
};

// How one would name the model on a command line again.
std::string model_word(const ModelOptions& options, const Model& model);

// A word for a shell: quoted where it has to be.
std::string shell_word(const std::string& text);

// Fills profile, losses and book of a report whose model, size and machine are set; what is not there goes to `absent`.
// Errors: those of files that were named.
Status find_measurements(const ReportFiles& files, const std::filesystem::path& model_file,
                         const std::string& model, Report& report);

// The plan that a trace's frames ran by most. Errors: the trace does not say, and no plan was given; or both say it.
struct TracedPlan {
  Plan plan;
  int entry = 0;
};
struct Trace;
Result<TracedPlan> plan_of(const Trace& trace, const std::string& file, const std::optional<Plan>& given,
                           const std::optional<Book>& book);

}  // namespace fye
