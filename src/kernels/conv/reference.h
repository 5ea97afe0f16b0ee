// The reference convolutions: plain loops, sums in double or exact integers; the oracle of every variant and
// the portable path.
#pragma once

#include "kernels/conv/conv.h"

namespace fye {

std::unique_ptr<Kernel> prepare_reference_f32(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_reference_bf16(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_reference_int8(const ConvProblem& problem);

}  // namespace fye
