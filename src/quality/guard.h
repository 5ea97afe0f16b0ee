// The guard against scores that reward noise: a plan gets no credit for scoring better than its own float
// network.
#pragma once

#include <algorithm>

#include "quality/table.h"

namespace fye {

// `of_plan`, but never better than `of_float`: PIQE, and LPIPS on smooth networks, improve when quantisation
// adds noise, and a plan that looked better for it would be chosen for its errors (tested by
// quality/trap_test.cc).
inline double guarded(double of_plan, double of_float, Better better) {
  return better == Better::higher ? std::min(of_plan, of_float) : std::max(of_plan, of_float);
}

}  // namespace fye
