// Depthwise convolution: every channel has a kernel of its own, so vectors go along the channels.
//
// All formats multiply in float: bf16 and 8-bit numbers and their products are exact there, and so are sums
// of int8 products below 2^24. Tested by conv_test.cc.
#pragma once

#include <memory>

#include "kernels/conv/conv.h"
#include "kernels/conv/direct.h"

namespace fye {

// For `row`: DirectRow::runs is the kernel's width; weights are [kernel_h][kernel_w][vectors][lanes] floats.
extern const DirectCode kDepthwiseF32Avx2, kDepthwiseF32Avx512, kDepthwiseBf16Avx512, kDepthwiseInt8Avx2,
    kDepthwiseInt8Avx512;

// Refuses what has other than one input and one output channel a group.
std::string_view depthwise_refuses(const ConvProblem& problem, const DirectCode& code);
std::unique_ptr<Kernel> prepare_depthwise(const ConvProblem& problem, const DirectCode& code);

}  // namespace fye
