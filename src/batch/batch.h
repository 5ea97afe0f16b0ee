// A batch: jobs decided by the manifest, run with overlap, and each one's fate written down as it ends.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "batch/decide.h"
#include "batch/jobs.h"
#include "batch/manifest.h"

namespace fye {

enum class Fate { left, done, skipped, failed };
std::string_view name(Fate fate);

struct Outcome {
  Fate fate = Fate::left;
  std::string reason;  // of a skip; empty: done before
  Error error;         // of a failure
  StageTimes times;
};

// Skips and refusals; all others are left, which is to say: to do. `manifest` may be null.
std::vector<Outcome> decide_all(std::vector<Job>& jobs, const Manifest* manifest, IfExists if_exists);

struct BatchRun {
  std::span<const Job> jobs;
  std::span<const size_t> order;  // the jobs to do, in this order
  Manifest* manifest = nullptr;   // may be null: nothing is written down
  // The work of a job. Its stages see the input as it was when the manifest noted it.
  std::function<std::unique_ptr<Work>(size_t job)> make;
  JobsOptions options;  // `ended` and `alone` speak of jobs, not of places in the order
};

// Fills in the fates of the jobs in the order; what was left undone has nothing in the manifest. Errors: the manifest
// could not be written; then nothing more was begun.
Status run_batch(const BatchRun& run, std::vector<Outcome>& outcomes);

}  // namespace fye
