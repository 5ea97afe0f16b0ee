// What a bulk run has done, for people, for programs and as an exit code.
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "batch/batch.h"
#include "cli/up_jobs.h"
#include "cli/up_options.h"
#include "cli/up_survey.h"

namespace fye {

struct Summary {
  const UpOptions& options;
  const UpSettings& settings;
  const UpJobs& jobs;
  const std::vector<Outcome>& outcomes;      // by job, as the rest
  const std::vector<FileReport>& reports;    // of the pictures that were done
  const std::vector<Json>& films;            // of the films that were done
  double seconds = 0;
};

// On stdout (docs/formats.md).
void print_json(const Summary& summary);

// A line on stderr.
void print_totals(const Summary& summary);

// Ok if nothing failed or was left. All failed, for one reason: that reason's code; else partial; stopped before
// anything was done: interrupted.
Status verdict(const Summary& summary);

// --dry-run: on stdout, as JSON with --json.
void print_forecast(const UpOptions& options, const UpJobs& jobs, const std::vector<Outcome>& outcomes,
                    const Forecast& forecast);

}  // namespace fye
