#include "kernels/conv/depthwise.h"

#include <bit>

#include "kernels/conv/pack.h"
#include "kernels/conv/requant.h"
#include "kernels/convert/number.h"

namespace fye {
namespace {

// Sums of int8 products stay below 2^24, where floats are whole numbers.
constexpr int kMostTaps = (1 << 24) / (255 * 128);

DirectPack pack(const ConvProblem& p, const DirectCode& code) {
  const int taps = p.kernel_h * p.kernel_w;
  return pack_products(p, code, taps, 1, [&](int c, int tap, int) {
    const size_t at = size_t(c) * size_t(taps) + size_t(tap);
    const float w = code.numbers == Numbers::int8   ? float(p.weight_q[at])
                    : code.numbers == Numbers::bf16 ? to_float(to_bf16(p.weight[at]))
                                                    : p.weight[at];
    return std::bit_cast<uint32_t>(w);
  });
}

class DepthwiseKernel final : public Kernel {
 public:
  DepthwiseKernel(const ConvProblem& p, const DirectCode& code)
      : code_(code),
        kernel_h_(p.kernel_h),
        kernel_w_(p.kernel_w),
        stride_h_(p.stride_h),
        stride_w_(p.stride_w),
        dilation_h_(p.dilation_h),
        dilation_w_(p.dilation_w),
        pad_top_(p.pad_top),
        pad_left_(p.pad_left),
        residual_(p.residual),
        pack_(pack(p, code)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const ptrdiff_t pixel = ptrdiff_t(in[0].pitch) * size_of(in[0].type);
    DirectRow row{.in_row = dilation_h_ * in[0].row_bytes,
                  .in_tap = dilation_w_ * pixel,
                  .in_pixel = stride_w_ * pixel,
                  .kernel_h = kernel_h_,
                  .runs = kernel_w_};
    set_output(row, out, residual_ ? &in[1] : nullptr, pack_.blocks.back(), code_.lanes);
    for (int y = y0; y < y1; ++y) {
      row.in = pixel_at(in[0], y * stride_h_ - pad_top_, out.region.x * stride_w_ - pad_left_);
      row.out = pixel_at(out, y, out.region.x);
      if (residual_) row.residual = pixel_at(in[1], y, out.region.x);
      for (const DirectBlock& block : pack_.blocks) code_.row(row, block, pack_.epilogue);
      zero_gap(row, out);
    }
  }
  std::string_view variant() const override { return code_.name; }

 private:
  const DirectCode& code_;
  int kernel_h_, kernel_w_, stride_h_, stride_w_, dilation_h_, dilation_w_, pad_top_, pad_left_;
  bool residual_;
  DirectPack pack_;
};

}  // namespace

std::string_view depthwise_refuses(const ConvProblem& p, const DirectCode& code) {
  if (p.group == 1 || p.group != p.in_channels || p.group != p.out_channels)
    return "not one input and one output channel a group";
  if (code.numbers != Numbers::int8) return direct_refuses_bf16(p);  // no curves
  if (p.kernel_h * p.kernel_w > kMostTaps) return "the sums of so many taps are not exact in float";
  return requant_refusal(p);
}

std::unique_ptr<Kernel> prepare_depthwise(const ConvProblem& problem, const DirectCode& code) {
  return std::make_unique<DepthwiseKernel>(problem, code);
}

}  // namespace fye
