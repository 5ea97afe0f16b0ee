// Plans of MobiSR, uLayer and CoDL for a model on this machine: measures what their planners (plan/rivals.h)
// choose from.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "image/picture.h"
#include "plan/rivals.h"
#include "profile/profile.h"
#include "runtime/model.h"

namespace fye {

enum class Rival : uint8_t { mobisr, ulayer, codl };

struct RivalRequest {
  Rival rival = Rival::codl;
  RivalForm form = RivalForm::strong;
  std::vector<const Processor*>
      pair;                      // two; for MobiSR the accurate one first, for uLayer the one that stores
  int width = 0, height = 0;     // of the picture that goes in
  double deadline_ms = 0;        // MobiSR
  bool hard_to_fast = false;     // MobiSR
  int patch = 40;                // MobiSR, faithful: pixels a side
  std::vector<Picture> typical;  // MobiSR, faithful: fixes the threshold
  Profile profile;               // CoDL: of the pair's processors
  int rounds = 5;
};

// CoDL, strong, is the fastest as run of: the exact plan, the exact plans were waits ten times as dear, the
// greedy plan. MobiSR, strong, tries patches that are a first to a sixth of the picture. Progress: 0..1. Errors: a pair that is not
// two different processors; CoDL on two number formats or without their times; MobiSR, faithful, without
// typical pictures.
Result<RivalPlan> rival_plan(const Model& model, const RivalRequest& request, ThreadPool& threads,
                             const std::function<void(double)>& progress = {});

}  // namespace fye
