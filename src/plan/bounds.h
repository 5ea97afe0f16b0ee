// Bounds: from every state of a state graph, how good the rest of a plan can get, and plans that are known to
// be good; what lets the exact planner drop most partial plans unseen.
#pragma once

#include <optional>
#include <vector>

#include "plan/state_graph.h"

namespace fye {

class Bounds {
 public:
  struct Known {
    int steps;
    double loss;
  };
  // Arcs' steps are set. Plans of fewer than `first` or more than `last` steps don't matter, nor such above
  // max_mj. `known`: of whole plans that are there already.
  Bounds(const StateGraph& graph, int first, int last, std::optional<double> max_mj, int most_weights,
         const std::vector<Known>& known = {});

  // Least known loss of a whole plan of at most so many steps; infinite if none is known.
  double known_loss(int steps) const { return known_[size_t(steps)]; }

  // False only if no plan that begins with a partial plan of these sums in `state` can be at least as true as
  // the plans known at its time.
  bool may_be_on_front(int state, int steps, double loss, double mj) const;

  // False only if none can keep both limits.
  bool may_keep(int state, int steps, double loss, double mj, int most_steps, double most_loss) const;

  // Of all plans.
  double least_loss() const { return least_loss_[0]; }

 private:
  // A weighted sum of all three, least from every state to the end.
  struct Weights {
    double loss, mj;  // a step weighs 1
    std::vector<double> least;
    double ceiling = 0;  // of the sum over plans known, at the times that this bound is best for
    int first = 0;       // of those times
    bool in_use = false;
  };
  struct Point {
    double steps, loss, mj;
  };
  Point solve(double loss_weight, double mj_weight);
  Point solve_within_budget(double loss_weight, double mj_weight);
  void choose_weights(int most);
  void set_ceilings();
  bool fits(const Weights& weights, int state, int steps, double loss, double mj, double ceiling) const;

  const StateGraph& graph_;
  int first_, last_;
  std::optional<double> max_mj_;
  std::vector<double> least_steps_, least_loss_, least_mj_;  // by state
  std::vector<double> known_;                                // by steps
  std::vector<Weights> weights_;                             // in use: ascending times
  int unknown_until_ = -1;   // plans of so many steps may exist, but none is known
  double largest_loss_ = 0;  // of any plan
  double tolerance_ = 0;     // of losses: sums in another order
};

// Least of steps * a + loss * b + mj * c from every state to the end.
std::vector<double> least_to_end(const StateGraph& graph, double a, double b, double c);

}  // namespace fye
