#include "cli/up_summary.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <system_error>

#include "base/isa.h"
#include "cli/interrupt.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Counts {
  size_t done = 0, skipped = 0, failed = 0, left = 0;
};

Counts count(const UpJobs& jobs, const std::vector<Outcome>& outcomes) {
  Counts counts;
  for (const Outcome& outcome : outcomes) {
    switch (outcome.fate) {
      case Fate::done:
        ++counts.done;
        break;
      case Fate::skipped:
        ++counts.skipped;
        break;
      case Fate::failed:
        ++counts.failed;
        break;
      case Fate::left:
        ++counts.left;
        break;
    }
  }
  counts.failed += jobs.unusable.size();
  return counts;
}

Json failure(const Error& error) {
  Json json = {{"status", name(Fate::failed)}, {"code", static_cast<int>(error.code)}, {"reason", error.what}};
  if (!error.hint.empty()) json["hint"] = error.hint;
  return json;
}

Json row_of(const Summary& summary, size_t job) {
  const Outcome& outcome = summary.outcomes[job];
  Json row = {{"input", summary.jobs.jobs[job].input.string()}, {"output", summary.jobs.jobs[job].output.string()}};
  if (outcome.fate == Fate::failed) {
    row.update(failure(outcome.error));
    return row;
  }
  row["status"] = name(outcome.fate);
  if (outcome.fate == Fate::skipped) row["reason"] = outcome.reason.empty() ? "done before" : outcome.reason;
  if (outcome.fate != Fate::done) return row;
  if (summary.jobs.jobs[job].film) {
    row["film"] = summary.films[job];
    return row;
  }
  const FileReport& r = summary.reports[job];
  row.update({{"in_width", r.in_width}, {"in_height", r.in_height}, {"width", r.width}, {"height", r.height},
              {"streamed", r.streamed}, {"read_ms", r.read_ms}, {"prepare_ms", r.upscale.prepare_ms},
              {"run_ms", r.upscale.run_ms}, {"write_ms", r.write_ms}, {"notices", r.upscale.notices}});
  return row;
}

void print(const Json& json) { fmt::print("{}\n", json.dump(1, ' ', false, Json::error_handler_t::replace)); }

Status in_time(const Summary& summary) {
  const auto& deadline = summary.settings.deadline;
  const auto late = std::count_if(summary.reports.begin(), summary.reports.end(), [&](const FileReport& report) {
    return deadline && report.upscale.run_ms > *deadline;
  });
  if (late == 0) return {};
  return Error{ErrorCode::deadline, fmt::format("all are written, but {} took longer than {:.2f} ms", late, *deadline),
               "the machine is busier than when it was profiled"};
}

std::string megabytes(int64_t bytes) { return fmt::format("{:.0f} MB", std::ceil(double(bytes) / 1e6)); }

}  // namespace

void print_json(const Summary& summary) {
  Json files = Json::array();
  for (size_t job = 0; job < summary.outcomes.size(); ++job) files.push_back(row_of(summary, job));
  for (const Error& error : summary.jobs.unusable) files.push_back(failure(error));
  const Counts counts = count(summary.jobs, summary.outcomes);
  double megapixels = 0, run_ms = 0;
  for (const FileReport& report : summary.reports) {
    megapixels += double(report.in_width) * report.in_height / 1e6;
    run_ms += report.upscale.run_ms;
  }
  print({{"version", 1},
         {"folder", summary.jobs.folder.string()},
         {"model", summary.settings.model.name},
         {"model_sha256", summary.settings.model.graph.sha256},
         {"isa", name(active_isa())},
         {"totals",
          {{"files", files.size()}, {"done", counts.done}, {"skipped", counts.skipped}, {"failed", counts.failed},
           {"left", counts.left}, {"ignored", summary.jobs.ignored}, {"seconds", summary.seconds},
           {"megapixels", megapixels}, {"run_ms", run_ms}}},
         {"files", files}});
}

void print_totals(const Summary& summary) {
  const Counts counts = count(summary.jobs, summary.outcomes);
  spdlog::warn("{}: {} done{}{}{}, {}", summary.jobs.folder.string(), counts.done,
               counts.skipped ? fmt::format(", {} skipped", counts.skipped) : "",
               counts.failed ? fmt::format(", {} failed", counts.failed) : "",
               counts.left ? fmt::format(", {} left", counts.left) : "", duration_text(summary.seconds));
}

Status verdict(const Summary& summary) {
  const Counts counts = count(summary.jobs, summary.outcomes);
  const bool some = counts.done + counts.skipped > 0;
  if (counts.left > 0) {
    const std::string what = fmt::format("stopped: {} done, {} left", counts.done, counts.left);
    return Error{some ? ErrorCode::partial : ErrorCode::interrupted, what, "the same call goes on where it stopped"};
  }
  if (counts.failed == 0) return in_time(summary);
  std::set<ErrorCode> codes;
  for (const Error& error : summary.jobs.unusable) codes.insert(error.code);
  for (const Outcome& outcome : summary.outcomes)
    if (outcome.fate == Fate::failed) codes.insert(outcome.error.code);
  const bool all_for_one = !some && codes.size() == 1;
  return Error{all_for_one ? *codes.begin() : ErrorCode::partial,
               fmt::format("{} of {} files failed", counts.failed, summary.outcomes.size() + summary.jobs.unusable.size()),
               "the reasons are above, and with --json in the summary; the others are done"};
}

void print_forecast(const UpOptions& options, const UpJobs& jobs, const std::vector<Outcome>& outcomes,
                    const Forecast& forecast) {
  const Counts counts = count(jobs, outcomes);
  std::error_code problem;
  fs::path nearest = fs::absolute(jobs.folder);
  while (!fs::is_directory(nearest, problem) && nearest.has_relative_path()) nearest = nearest.parent_path();
  const fs::space_info space = fs::space(nearest, problem);
  const int64_t free = problem ? -1 : int64_t(space.available);
  const auto films = std::count_if(jobs.jobs.begin(), jobs.jobs.end(), [](const Job& job) { return job.film; });
  if (options.json) {
    Json files = Json::array();
    for (size_t i = 0; i < outcomes.size(); ++i) {
      Json row = {{"input", jobs.jobs[i].input.string()}, {"output", jobs.jobs[i].output.string()}};
      if (outcomes[i].fate == Fate::failed) {
        row.update(failure(outcomes[i].error));
      } else {
        row["status"] = outcomes[i].fate == Fate::left ? "would be done" : "skipped";
      }
      files.push_back(row);
    }
    Json json = {{"version", 1}, {"dry_run", true}, {"folder", jobs.folder.string()}, {"to_do", counts.left},
                 {"skipped", counts.skipped}, {"failed", counts.failed}, {"films", films},
                 {"megapixels", forecast.megapixels}, {"seconds", forecast.seconds},
                 {"memory_bytes", forecast.memory_bytes}, {"disk_bytes", forecast.disk_bytes}};
    if (free >= 0) json["free_bytes"] = free;
    json["files"] = files;
    print(json);
    return;
  }
  fmt::print("{}: {} to do, {} skipped, {} can't be done\n", jobs.folder.string(), counts.left, counts.skipped,
             counts.failed);
  fmt::print("about {} for {:.1f} megapixels, {} of memory, {} of disk{}\n", duration_text(forecast.seconds),
             forecast.megapixels, megabytes(forecast.memory_bytes), megabytes(forecast.disk_bytes),
             free >= 0 ? fmt::format(" ({} are free)", megabytes(free)) : "");
  if (films > 0) fmt::print("{} films are not in these figures\n", films);
  if (free >= 0 && forecast.disk_bytes > free) fmt::print("the disk may be too small\n");
}

}  // namespace fye
