// Constraints as people write them: which units stay in float, which run where.
#pragma once

#include <span>
#include <string>

#include "plan/exact.h"

namespace fye {

// `on`: "UNIT=PROCESSOR"; `keep_f32`: globs of unit names (*, ?, [...]) whose units stay on cpu.f32. Errors
// (code usage): not written like that; units or processors that the problem lacks, with what there is; a glob
// that no unit matches; a unit that has to be in two places.
Result<PlanConstraints> constraints_of(const PlanProblem& problem, std::span<const std::string> on,
                                       std::span<const std::string> keep_f32, int max_switches);

}  // namespace fye
