// MobiSR's planner (Lee et al., MobiCom 2019, arXiv 1908.07985; spec/baselines.md, section 1: patch size,
// overlap, threshold search and scheduler are our fill-in). Tested by plan/rivals_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plan/rivals.h"

namespace fye {
namespace {

// How many of `count` patches go to the accurate processor, and what that takes.
struct Split {
  int accurate = 0;
  double ms = 0;
};

double split_ms(const RivalPair& pair, const std::vector<double>& patch_ms, int accurate, int count) {
  const double a = accurate * patch_ms[0], b = (count - accurate) * patch_ms[1];
  return pair.at_once ? std::max(a, b) : a + b;
}

// The most that meets the deadline; the fastest if none does.
Split split_for(const RivalPair& pair, const std::vector<double>& patch_ms, int count, double deadline) {
  Split fastest{0, split_ms(pair, patch_ms, 0, count)}, best{-1, 0};
  for (int accurate = 0; accurate <= count; ++accurate) {
    const double ms = split_ms(pair, patch_ms, accurate, count);
    if (ms < fastest.ms) fastest = {accurate, ms};
    if (ms <= deadline) best = {accurate, ms};
  }
  return best.accurate < 0 ? fastest : best;
}

}  // namespace

Result<RivalPlan> mobisr_plan(const Graph& graph, const RivalPair& pair, const MobisrCosts& costs,
                              const MobisrOptions& options) {
  if (costs.rules.empty() || costs.rules.size() != costs.patch_ms.size())
    return internal_error("MobiSR's costs have no patches");
  size_t chosen = 0;
  Split best;
  double best_part = -1;
  for (size_t r = 0; r < costs.rules.size(); ++r) {
    const int count = int(patch_cores(costs.height, costs.width, costs.rules[r].size).size());
    const Split split = split_for(pair, costs.patch_ms[r], count, options.deadline_ms);
    const double part = double(split.accurate) / count;
    const bool in_time = split.ms <= options.deadline_ms,
               had = best_part >= 0 && best.ms <= options.deadline_ms;
    const bool better =
        best_part < 0 || (in_time && !had) ||
        (in_time == had &&
         (in_time ? part > best_part || (part == best_part && costs.rules[r].size > costs.rules[chosen].size)
                  : split.ms < best.ms));
    if (better) chosen = r, best = split, best_part = part;
  }
  Sharing sharing{.by = Sharing::By::patches,
                  .shares = {{pair.first, best_part}, {pair.second, 1 - best_part}},
                  .patches = costs.rules[chosen]};
  if (options.hard_to_fast) std::swap(sharing.shares[0], sharing.shares[1]);
  if (!options.variation.empty()) {
    // The value that as many of the typical patches are above as the first shall take.
    std::vector<double> sorted = options.variation;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const auto taken = size_t(std::llround(sharing.shares[0].part * double(sorted.size())));
    sharing.shares[0].above = taken == 0 ? sorted.front() : taken >= sorted.size() ? 0. : sorted[taken];
  }
  RivalPlan made{.plan = uniform_plan(graph, ""), .ms = best.ms};
  made.plan.steps[0].sharing = std::move(sharing);
  made.plan.steps[0].reason =
      fmt::format("{} of {} patches accurate", best.accurate,
                  patch_cores(costs.height, costs.width, costs.rules[chosen].size).size());
  made.plan.ms = made.ms;
  return made;
}

}  // namespace fye
