// oneDNN's convolution behind our interface: the rival of the direct kernels, in the table for tests and
// benchmarks only.
#pragma once

#include "kernels/conv/conv.h"

namespace fye {

// Why oneDNN can't or must not solve the problem in this format, or empty.
std::string_view onednn_refuses_f32(const ConvProblem& problem);
std::string_view onednn_refuses_bf16(const ConvProblem& problem);
std::string_view onednn_refuses_int8(const ConvProblem& problem);

std::unique_ptr<Kernel> prepare_onednn_f32(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_onednn_bf16(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_onednn_int8(const ConvProblem& problem);

}  // namespace fye
