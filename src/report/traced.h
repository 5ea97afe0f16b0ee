// Traced: plans run in turns on one picture, each run with an account of its time.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "image/picture.h"
#include "plan/plan.h"
#include "runtime/book_session.h"
#include "runtime/model.h"

namespace fye {

struct TracedOptions {
  int rounds = 9;        // runs of each plan
  double seconds = 10;   // no further round begins after this; at least one is run
  double deadline_ms = 0;  // for the traces' `late`; 0: none
  UpscaleOptions upscale;  // its plan is ignored
};

struct TracedRun {
  Picture picture;                 // of the last round: every round gives the same
  UpscaleReport report;
  std::vector<FrameTrace> frames;  // one a round, after a warm-up that is not among them
};

// By plan. Errors: as BookSession.
Result<std::vector<TracedRun>> run_traced(const Model& model, const std::vector<Plan>& plans, const Picture& picture,
                                          const TracedOptions& options, ThreadPool& threads,
                                          const std::function<void(double)>& progress = {});

}  // namespace fye
