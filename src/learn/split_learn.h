// FYE-SR's split learner: relaxed shares of every unit on every processor, trained by gradient for one
// deadline, rounded and repaired to a plan (Huang et al., MobiCom 2024; spec/fye-sr.md, sections 5 to 5.2).
//
// Stated by the paper's slides: the mixed forward pass, the joint gradient of a latency, a perceptual and a
// structural loss with weights lambda_1 and lambda_2 over the trainables w of alpha, the latency model. Not
// stated by any source we could read, and so our fill-in, marked [F] here and in spec/fye-sr.md, 5.1: all
// the rest.
#pragma once

#include <torch/torch.h>

#include <atomic>
#include <functional>
#include <string>

#include "base/result.h"
#include "learn/split_quality.h"
#include "plan/exact.h"
#include "plan/problem.h"

namespace fye {

struct SplitOptions {
  QualityWeights weights;  // [F] 1 and 10 for losses on [0, 1]
  // [F] What counts as much as missing the deadline by all of it: quality_loss is divided by this. 0: how far
  // apart the uniform plans are on the crops, so that lambda_1 : lambda_2 and not the size of the losses
  // (1e-5 for an honest int8) decides what outweighs what.
  double quality_unit = 0;
  double idle = 0.05;       // [F] weight of T / T_obj, so that idle budget is not preferred in a tie
  double margin = 0.02;     // [F] learns for T_obj * (1 - margin)
  double rate = 0.05;       // [F] Adam's, on w alone; the network's weights are frozen
  double dual_rate = 0.05;  // [F] of mu, which multiplies max(0, T / T_obj - 1)
  double first_mu = 1;      // [F]
  double first_heat = 1, last_heat = 0.05;  // [F] temperature, falling geometrically
  double binary = 1;            // [F] weight of mean(share * (1 - share)) at the end; 0 at half time
  double noise = 0.01;          // [F] deviation of w at the start
  double head_start = 2;        // [F] w of the second start's plan: share 0.88 at temperature 1
  double straight_through = 0;  // [F] share of the steps, at the end, that go forward with rounded shares
  int steps = 400, batch = 8;   // [F]
  double budget_seconds =
      0;            // wall-clock time of one start, if > 0: the schedule ends with whichever is first
  int judged = 16;  // crops that plans are compared on: the first ones
  int threads = 2;  // must divide the batch
  uint64_t seed = 1;
};

struct SplitProgress {
  std::string start;  // "even" or "fastest"
  int step = 0;
  double progress = 0;  // 0..1
  double time_ms = 0, quality = 0, mu = 0,
         undecided = 0;  // T(shares), of the last step; mean share * (1 - share) * 4
};

struct LearnedPlan {
  Assignment plan;
  double ms = 0;       // predicted
  double quality = 0;  // quality_loss of the plan on the judged crops, in units of SplitOptions::quality_unit
  double unit = 1;     // that unit
  std::string start;   // the start that it came from
  torch::Tensor shares;  // before rounding
  Assignment unrepaired;
  int steps = 0;
  double seconds = 0;    // of all starts
  bool complete = true;  // false: `stop` came first
};

// The fastest plan of those that both the problem and the network can run. Errors: as exact_plans.
Result<PlanPoint> fastest_plan(const MixedNet& net, const PlanProblem& problem);

// Units that two plans place differently.
int changes(const Assignment& a, const Assignment& b);

// Two starts [F]: w = 0 and the fastest plan; the one whose repaired plan loses less quality is returned. The
// plan is within the deadline by predicted_ms(). Repairs weigh units by the problem's losses or, where it has
// none, by what moving one unit at a time does to the quality loss [F]. A unit's share is 0 where its
// processor can't run it. `stop` ends it with what there is by then: at least one start, however far it came.
// Errors: usage (options out of range); deadline, if even the fastest plan is later, with its time and the
// gap; a loss that is not finite.
Result<LearnedPlan> learn_split(const MixedNet& net, const PlanProblem& problem, const QualityCrops& crops,
                                const Percept& percept, double deadline_ms, const SplitOptions& options,
                                const std::function<void(const SplitProgress&)>& report,
                                const std::atomic<bool>& stop);

}  // namespace fye
