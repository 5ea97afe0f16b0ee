// Plans that fye-train learned (FYE-SR's split learner): the one strategy that needs libtorch, and so another
// program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "plan/exact.h"

namespace fye {

struct LearnRequest {
  std::filesystem::path model, profile, losses, data;
  std::string deadline;
  std::string budget;  // of time, "10m"; empty: fye-train's own number of steps
};

// Runs `fye-train split`, which takes minutes to hours and says on stderr how far it is, with the estimator beside
// the model or the one that is shipped. Errors: there is no fye-train (says how to build it);
// what it says when it fails; plans that don't fit the problem.
Result<std::vector<PlanPoint>> learned_plans(const LearnRequest& request, const PlanProblem& problem);

}  // namespace fye
