// The rivals' planners: MobiSR, uLayer and CoDL, each as published, as far as that is known, and in its
// strongest form here (spec/baselines.md). They choose from measured times; what they choose is a plan like
// any other.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "profile/share_times.h"

namespace fye {

// faithful: as the papers have it, where they say; the rest is our fill-in. strong: the same idea with
// everything that can be measured or searched exactly.
enum class RivalForm : uint8_t { faithful, strong };

// Two processors. On cores of their own they work at the same time; on all threads they take turns, so that
// sharing is never a gain.
struct RivalPair {
  std::string first, second;
  bool at_once = true;
};

struct RivalPlan {
  Plan plan;
  double ms = 0;  // predicted
};

// CoDL: rows or output channels of each unit, units cut alike in a row as one chain without exchange, whose
// halo rows are computed twice. Times a chain: the slower processor's sum over its units of `unit_ms` times
// the share of their multiply-accumulates that its stripe needs, and a wait.
struct CodlCosts {
  std::vector<Shape> shapes;                 // of all tensors, at the planned size
  std::vector<std::vector<double>> unit_ms;  // [unit][processor], the whole unit
  double wait_ms = 0;
  std::optional<ChannelTimes> channels;  // of the same pair; absent: rows only
};
// faithful: ratios in tenths; each unit takes its own best dimension and ratio, then chains grow greedily
// from the first unit on, over ratios 0.3 around their head's, while the gain is positive (section 3.3).
// strong: ratios in twentieths, chains by dynamic programme, so the best plan under these costs.
Result<RivalPlan> codl_plan(const Graph& graph, const RivalPair& pair, const CodlCosts& costs,
                            RivalForm form);

// uLayer: output channels of each unit. `pair.first` stores. faithful: always shared, by the ratio (1/4, 1/2,
// 3/4) for which a regression on two features, F0 = IH IW IC and F1 = (K / S)^2 OC, predicts the least (by
// least squares on the units' whole times, no weight below 0; the published one descends a gradient). strong:
// the ratio that was measured to be fastest, also one processor alone.
Result<RivalPlan> ulayer_plan(const Graph& graph, const RivalPair& pair, const std::vector<Shape>& shapes,
                              const ChannelTimes& times, RivalForm form);

// MobiSR: patches by total variation. `pair.first` is the accurate processor.
struct MobisrCosts {
  std::vector<PatchRule> rules;               // those that were timed
  std::vector<std::vector<double>> patch_ms;  // [rule][processor]
  int height = 0, width = 0;                  // of the picture
};
struct MobisrOptions {
  double deadline_ms = 0;
  bool hard_to_fast = false;  // the other reading of who gets what varies most
  // Of patches of typical pictures: then thresholds are fixed by them, else each picture has its share.
  std::vector<double> variation;
};
// As large a part on the accurate processor as the deadline allows, of all rules the one that allows most (of
// equals the largest patch); the fastest split there is if none meets it. Errors: no rules.
Result<RivalPlan> mobisr_plan(const Graph& graph, const RivalPair& pair, const MobisrCosts& costs,
                              const MobisrOptions& options);

}  // namespace fye
