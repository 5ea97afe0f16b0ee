// Pooling: maximum, average, and the average of the whole map.
#pragma once

#include "kernels/node_problem.h"

namespace fye {

// Padding never enters a maximum; it enters an average's count only with count_include_pad, and never beyond
// the end of the padding (windows that ceil_mode lets hang over).
Prepared prepare_pool(const NodeProblem& problem, const Pool& op);
// f32 and bf16; the input map is the whole feature map.
Prepared prepare_global_average_pool(const NodeProblem& problem);

}  // namespace fye
