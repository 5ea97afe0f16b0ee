// Many jobs through three stages that overlap: the next is loaded and the last is saved while one is worked on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// One job's way through the stages; each is called once, in this order, until one fails. load() and save() run on
// threads of their own beside another job's stages; work() runs on the thread that called run_jobs().
class Work {
 public:
  virtual ~Work() = default;
  virtual Status load() = 0;
  virtual Status work() = 0;
  virtual Status save() = 0;
};

struct StageTimes {
  double load_ms = 0, work_ms = 0, save_ms = 0;
};

struct JobsOptions {
  int load_threads = 1, save_threads = 1;
  // True for a job that must have the machine's memory to itself: nothing else is inside while it is. May be empty.
  std::function<bool(size_t index)> alone;
  // Asked before each job is loaded or worked on. After true, what was worked on is still saved, the rest is left.
  std::function<bool()> stop;
  // After each job, in the order in which they end; one call at a time, from any of the threads. A job whose stage
  // returned ErrorCode::interrupted was left, not failed.
  std::function<void(size_t index, const Status& status, const StageTimes& times)> ended;
};

// `make` gives the work of job `index` < count, on the calling thread and in order. At most load_threads + save_threads
// + 1 works are alive at a time. Jobs that were never loaded get no `ended`.
void run_jobs(size_t count, const std::function<std::unique_ptr<Work>(size_t index)>& make,
              const JobsOptions& options);

}  // namespace fye
