// Requantise: the numbers that turn an int8 convolution's accumulator into its u8 or s16 output (design.md,
// section 4).
#pragma once

#include <string_view>
#include <vector>

#include "kernels/conv/conv.h"

namespace fye {

// q = rne(clamp(f32(acc) * m [+ b * (q_r - z_res)], lo - z, hi - z)) + z, m = negative[c] where acc < 0, else
// positive[c]. Clamping to whole numbers before the rounding equals clamping after it, and keeps the
// conversion to an integer in range. Wide: q = sat16(rne(f32(acc) * m)), with a residual sat16(q + r),
// then clamped to lo..hi.
struct Requant {
  std::vector<float> positive, negative;  // [oc]: M and M * slope
  bool has_slope = false;
  float b = 0;
  int z = 0, z_res = 0;
  int lo = 0, hi = 255;  // output levels allowed by relu and clip; in s16 -32768..32767 without them
  // True if no input can bring the float before the clamp to 2^30 or beyond, so that a kernel may convert
  // first, clamp later.
  bool bounded = false;
};

// Why int8 can't express the problem's activations, or empty.
std::string_view requant_refusal(const ConvProblem& problem);

// Expects that requant_refusal is empty.
Requant requant_of(const ConvProblem& problem);

// The accumulator's start: bias_q[c] - z_x * sum of c's weights, modulo 2^32; lets padded pixels hold z_x.
// [oc]
std::vector<int32_t> accumulator_start(const ConvProblem& problem);

// One output level; the residual's level is z_res where there is none.
uint8_t requantise(const Requant& requant, int c, int32_t acc, int residual_level);

// The same for a wide problem; the residual is 0 where there is none.
int16_t requantise_wide(const Requant& requant, int c, int32_t acc, int residual);

// The residual's channel for output channel c.
inline int residual_channel(const ConvProblem& problem, int c) {
  return c % (problem.out_channels / problem.residual_repeat);
}

}  // namespace fye
