// Relaxed latency: T(plan) of plan/problem.h for probabilities instead of choices, with its gradient; what a
// learner minimises (spec/fye-sr.md, sections 4 and 5).
#pragma once

#include <vector>

#include "plan/problem.h"

namespace fye {

// By unit and processor, 0..1; a unit's sum to 1 (softmax or sigmoid happen outside). 0 where a unit can't
// run.
using Probabilities = std::vector<std::vector<double>>;

// Expected time if every unit were placed independently: a tensor moves to a form with the probability that
// any of its readers wants it, 1 - product over readers (1 - probability that it reads in that form). A unit
// that reads one tensor in two forms counts as two readers. Equal to predicted_ms() where every row is
// one-hot; multilinear where no unit reads a tensor twice. `gradient`, if given, is filled with dT/da; 0
// where a unit can't run.
double relaxed_ms(const PlanProblem& problem, const Probabilities& a, Probabilities* gradient = nullptr);

// One-hot rows.
Probabilities probabilities_of(const PlanProblem& problem, const Assignment& plan);

}  // namespace fye
