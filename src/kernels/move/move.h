// Ops that move elements without changing them: depth-to-space, nearest resize, concat, reshape.
#pragma once

#include "kernels/node_problem.h"

namespace fye {

Prepared prepare_depth_to_space(const NodeProblem& problem, const DepthToSpace& op);
Prepared prepare_nearest(const NodeProblem& problem, const Resize& op);
// Channels only. u8 inputs whose quant differs from the output's are requantised.
Prepared prepare_concat(const NodeProblem& problem, const Concat& op);
// Any shape to any shape of batch 1, NHWC maps read and written in NCHW order; both maps whole.
Prepared prepare_reshape(const NodeProblem& problem, const Reshape& op);

}  // namespace fye
