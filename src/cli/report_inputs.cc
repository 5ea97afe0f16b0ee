#include "cli/report_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>

#include "cli/machine.h"
#include "cli/measurements.h"
#include "runtime/trace.h"

namespace fye {
namespace {

constexpr const char* kKept = "kept on this machine";

// A kept file that is there and can't be used is as good as absent; the reason is said.
template <class T>
void take(Result<T> found, const std::string& from, std::optional<Found<T>>& into, AbsentPart absent, Report& report) {
  if (found) {
    into = Found<T>{*std::move(found), from};
    return;
  }
  absent.why = found.error().what;
  report.absent.push_back(std::move(absent));
}

std::filesystem::path beside(const std::filesystem::path& model_file, const char* extension) {
  std::filesystem::path path = model_file;
  return path.replace_extension(extension);
}

}  // namespace

std::string shell_word(const std::string& text) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || std::strchr("_-./+,=:@", c); };
  if (!text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), [&](char c) { return c && plain(uint8_t(c)); }))
    return text;
  std::string quoted = text[0] == '-' ? "./" : "";
  quoted += "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string model_word(const ModelOptions& options, const Model& model) {
  if (!options.model.empty() && options.name.empty()) return shell_word(options.model);
  if (!options.model.empty())
    return shell_word((std::filesystem::path(options.model) / options.name).string() + ".onnx");
  return shell_word(model.name);
}

Status find_measurements(const ReportFiles& files, const std::filesystem::path& model_file,
                         const std::string& model, Report& report) {
  const std::string& sha256 = report.model->graph.sha256;
  const int width = report.width, height = report.height;
  const std::string where = fmt::format("--size {}x{} --threads {}", width, height, report.here.threads);
  const std::string profile_command = fmt::format("fye profile {} {}", model, where);

  auto profile = profile_for(files.profile, report.model->name, sha256, width, height, report.here);
  if (!profile && !files.profile.empty()) return profile.error();
  take(std::move(profile), files.profile.empty() ? kKept : files.profile, report.profile,
       {"profile", "", profile_command}, report);

  auto losses = losses_for(files.losses, model_file, sha256);
  if (!losses && !files.losses.empty()) return losses.error();
  const std::string losses_command = fmt::format("fye sensitivity {} PICTURES", model);
  if (losses && *losses) {
    const auto name = beside(model_file, ".losses.json").filename().string();
    report.losses = Found<Losses>{**std::move(losses), files.losses.empty() ? name : files.losses};
  } else {
    report.absent.push_back({"losses",
                             losses ? "not known what each layer loses in each number format" : losses.error().what,
                             losses_command});
  }

  auto book = book_for(files.book, model_file, report.model->name, sha256, width, height, report.here, false);
  if (!book && !files.book.empty()) return book.error();
  std::error_code none;
  const auto own = beside(model_file, ".book.json");
  const std::string from = !files.book.empty()                     ? files.book
                           : std::filesystem::exists(own, none) ? own.filename().string()
                                                                : kKept;
  Result<Book> plans = book ? Result<Book>(std::move(book->book)) : Result<Book>(book.error());
  if (plans && plans->entries.empty()) plans = bad_input(from + ": the book has no plans");
  if (!plans && !files.book.empty()) return plans.error();
  take(std::move(plans), from, report.book,
       {"book", "", (report.profile ? "" : profile_command + " && ") + fmt::format("fye plan {} {}", model, where)},
       report);
  return {};
}

Result<TracedPlan> plan_of(const Trace& trace, const std::string& file, const std::optional<Plan>& given,
                           const std::optional<Book>& book) {
  std::map<int, int> count;
  for (const FrameTrace& frame : trace.frames) ++count[frame.entry];
  const auto most = std::max_element(count.begin(), count.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const int entry = most->first;
  if (const auto known = trace.plans.find(entry); known != trace.plans.end()) {
    if (given)
      return usage_error(file + " says itself where its units ran; --plan would say it again", "leave --plan out");
    Plan plan;
    plan.graph_sha256 = trace.graph_sha256;
    plan.steps = known->second;
    return TracedPlan{std::move(plan), entry};
  }
  if (given) return TracedPlan{*given, entry};
  if (book && size_t(entry) < book->entries.size())
    return TracedPlan{fye::plan_of(*book, book->entries[size_t(entry)]), entry};
  return bad_input(fmt::format("{}: does not say where its units ran", file),
                   "give the plan or book that fye run was given: --plan FILE or --book FILE");
}

}  // namespace fye
