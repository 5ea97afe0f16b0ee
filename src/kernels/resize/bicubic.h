// Bicubic enlargement by whole factors as ONNX Resize means it: half_pixel, edges repeated, no antialiasing.
#pragma once

#include "kernels/node_problem.h"

namespace fye {

Prepared prepare_bicubic(const NodeProblem& problem, const Resize& op);

}  // namespace fye
