// Plan problem: what every assignment of units to processors costs in time and in fidelity - the one model
// that planners minimise, and its exact value for a given plan.
//
//   T(plan) = fixed + sum over units ms[u][p(u)] + sum over tensors, once per form f that some reader wants
//             and that its producer did not write: ms[t][written][f]
//   L(plan) = sum over units loss[u][p(u)] + sum over tensors: loss of the form written + for each reader,
//             the loss of its form given the form written
//   E(plan) = sum over units mj[u][p(u)]
//
// T is spec/fye-sr.md, section 4, over the edges of a graph; L the edge-aware sum of findings-precision.md,
// section 10. Costs are indexed by processor (an index into `processors`) and by form (processors/form.h).
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "processors/processor.h"
#include "profile/losses.h"
#include "profile/profile.h"

namespace fye {

using FormCost = std::array<double, kForms>;
using FormPairCost = std::array<FormCost, kForms>;  // [from][to]

struct PlanProblem {
  struct Unit {
    std::string name;
    std::vector<double> ms;    // by processor; infinite where it can't run
    std::vector<double> loss;  // own part, grey levels squared
    std::vector<double> mj;    // millijoules by processor; infinite where it can't run; empty if not known
  };
  // A unit that reads a tensor; the same unit may be there twice, with different forms.
  struct Reader {
    int unit = kNone;        // kNone: the host, always in Form::host
    std::vector<Form> form;  // by processor of the reader; one entry for the host
    FormPairCost loss{};     // [written][read]
  };
  // A tensor that crosses between units, or between a unit and the host.
  struct Tensor {
    std::string name;
    int producer = kNone;         // unit; kNone: the host, in Form::host
    std::vector<Form> form;       // by processor of the producer; one entry for the host
    FormCost loss{};              // of being written in this form
    FormPairCost ms{};            // [written][read], paid once for each form read; 0 on the diagonal
    std::vector<Reader> readers;  // ascending units after the producer, the host last
  };
  std::vector<std::string> processors;
  std::vector<Unit> units;
  std::vector<Tensor> tensors;
  double fixed_ms = 0;
};

// A processor for each unit.
using Assignment = std::vector<int>;

// Infinite if a unit is where it can't run.
double predicted_ms(const PlanProblem& problem, const Assignment& plan);
double predicted_loss(const PlanProblem& problem, const Assignment& plan);
// Every unit's mj must be known.
double predicted_mj(const PlanProblem& problem, const Assignment& plan);
// Units whose processor differs from that of the unit before.
int switches(const Assignment& plan);

// Sizes, orders and signs as above; for problems that were not made by plan_problem().
Status check_problem(const PlanProblem& problem);

// From measurements. `processors` are those to plan for, in this order; all must be in the profile. `losses`
// may be null: every loss is 0. A reader that stores a tensor in a coarser form than it was written in (f32 <
// bf16 < s16 < u8) adds the part of that form, once a unit (its coarsest form). Errors: another graph; units,
// tensors, hand-overs or processors that the files lack; a unit that none of the processors can run. A unit's
// energy is its time by the profile's watts, if they are known for all processors; hand-overs count for none.
Result<PlanProblem> plan_problem(const Graph& graph, const Calib* calib,
                                 std::span<const Processor* const> processors, const Profile& profile,
                                 const Losses* losses);

}  // namespace fye
