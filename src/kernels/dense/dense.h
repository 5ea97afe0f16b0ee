// Ops with weights besides convolution: Gemm and transposed convolution; f32 and bf16.
#pragma once

#include "kernels/node_problem.h"

namespace fye {

// One item: a 1 x 1 map of K channels in, of N out. trans_a and a bias with a row per item are refused.
Prepared prepare_gemm(const NodeProblem& problem, const Gemm& op);
Prepared prepare_conv_transpose(const NodeProblem& problem, const ConvTranspose& op);

}  // namespace fye
