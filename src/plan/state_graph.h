// State graph: every way to place a network's units one after the other, where ways that cost the same from
// here on are one state. The exact planner's search space.
#pragma once

#include <vector>

#include "base/result.h"
#include "plan/exact.h"

namespace fye {

// What the future can depend on after some units: for each tensor that a later unit reads, the form it was
// written in and the forms it has been converted to (paid for once); with limited switches, the processor of
// the last unit and the switches so far.
struct StateGraph {
  struct Arc {
    int to;               // state
    int processor;        // of the unit
    double ms, loss, mj;  // of the unit and of all hand-overs that it is the first to need
    double steps = 0;     // ms on the planner's grid, a whole number
  };
  std::vector<int> first_state;  // after so many units; one more entry than layers. Layer 0 is state 0
  std::vector<int> first_arc;    // by state; one more entry than states
  std::vector<Arc> arcs;
  double fixed_ms = 0, fixed_loss = 0;
  bool complete = true;  // false: a layer had too many states; the least promising were left out

  int states() const { return first_state.back(); }
  int layers() const { return int(first_state.size()) - 1; }  // units + 1
};

// At most `most_states` a layer, last layer: one state. Errors: as exact_plans.
Result<StateGraph> state_graph(const PlanProblem& problem, const PlanConstraints& constraints,
                               int most_states);

}  // namespace fye
