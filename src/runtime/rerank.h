// Re-ranking: plans that a model of time and loss finds best, run for real on this machine and on pictures.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "image/picture.h"
#include "plan/plan.h"
#include "runtime/model.h"

namespace fye {

struct Ranked {
  int candidate = 0;          // index of the plan that was given
  double ms = 0;              // median of rounds in which all candidates take turns
  double msef = 0;            // to the float network's picture, rounded to 8 bit, mean over the pictures
  std::optional<double> lpf;  // LPIPS to it; nothing where LPIPS is not installed
};

struct RerankOptions {
  int width = 0, height = 0;  // of the picture that is timed
  int rounds = 7;             // design.md, section 6
  double deadline_ms = 0;
};

// Medians, in ms, of `rounds` rounds in which all plans take turns, on noise of the given size. Errors: a
// plan that can't run.
Result<std::vector<double>> time_plans(const Model& model, std::span<const Plan> plans,
                                       const RerankOptions& options, ThreadPool& threads);

// In order of preference: those that meet the deadline as measured, by lpf (by msef without LPIPS); then the
// others by time. `pictures` are small ones, of any sizes. Errors: no plans, no pictures, a plan that can't
// run.
Result<std::vector<Ranked>> rerank(const Model& model, std::span<const Plan> plans,
                                   std::span<const Picture> pictures, const RerankOptions& options,
                                   ThreadPool& threads, const std::function<void(double)>& progress = {});

}  // namespace fye
