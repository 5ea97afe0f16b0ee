// Convolution: the problem a kernel solves, and the table of variants that solve it.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "base/result.h"
#include "graph/graph.h"
#include "kernels/kernel.h"

namespace fye {

// y = post(act(conv(x) + bias) + residual), see graph/graph.h. One struct for all formats; int8 uses the
// integer half. int8 (design.md, section 4): acc = sum (q_x - z_x) q_w + bias_q in s32; without residual y =
// sat(rne(f32(acc) * M[c]) + z), with one sat(rne(f32(acc) * M[c] + B * (q_r - z_r)) + z), B = s_r / s_y;
// M[c] = (s_x * s_w[c]) / s_y in float32. leaky_relu and prelu multiply M by the slope where acc < 0; relu
// and clip are the clamp bounds. int8 with `wide`: y = sat16(rne(f32(acc) * M[c])) in s16, clamped by
// relu and clip likewise; with a residual, which is s16 on the output's own grid, sat16(that + r), clamped by
// post. bf16: x, w rounded to bf16 (rne), sums and bias in f32; the result is rounded to bf16.
struct ConvProblem {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0, group = 1;
  int grain_row = 0;  // Grain::row of a kernel that computes tiles, modulo their size; any will do
  int in_channels = 0, out_channels = 0;
  bool residual = false;
  int residual_repeat = 1;
  Activation act, post;

  std::vector<float> weight, bias;  // f32, bf16: [oc][ic / group][kh][kw], [oc]

  std::vector<int8_t> weight_q;     // int8: same order
  std::vector<int32_t> bias_q;      // [oc]
  std::vector<float> weight_scale;  // [oc]
  Quant in, out, res;
  bool wide = false;  // int8: output and residual are s16
};

// A way to compute convolutions of one number format.
struct ConvVariant {
  std::string_view name;
  Numbers numbers;
  Isa isa;
  bool needs_avx512_bf16 = false;
  // False for library kernels that may choose by shape: measured and tested beside ours, kept out of tiled
  // float runs.
  bool position_independent = true;
  // Empty if the variant can do it, else why not.
  std::string_view (*refuses)(const ConvProblem&);
  std::unique_ptr<Kernel> (*prepare)(const ConvProblem&);
  // Fewer products than the direct form, at the price of rounding: FYE_WINOGRAD=off leaves these out.
  bool winograd = false;
};

// All variants compiled in, the reference ("scalar") of each format first. Test and benchmark iterate over
// it.
std::span<const ConvVariant> conv_variants();

// False if the environment variable FYE_WINOGRAD is "off": float convolutions in their direct form. Read once
// per process.
bool winograd_allowed();

// The last position-independent variant in the table that the machine, `max`, winograd_allowed() and the
// problem allow.
Result<std::unique_ptr<Kernel>> prepare_conv(const ConvProblem& problem, Numbers numbers, Isa max);

}  // namespace fye
