// Transposed convolution by gathering: each output pixel sums the input pixels whose stride grid reaches it,
// tap by tap in a fixed order, so that tiles and threads change nothing. Written for coverage, not speed.
#include <fmt/format.h>

#include <vector>

#include "kernels/dense/dense.h"

namespace fye {
namespace {

// The input row (or column) that tap k of output `at` reads, or -1 if the grid misses it.
int source(int at, int pad, int k, int dilation, int stride) {
  const int v = at + pad - k * dilation;
  return v >= 0 && v % stride == 0 ? v / stride : -1;
}

template <class T>
class ConvTransposeKernel : public Kernel {
 public:
  // weight: [kh][kw][in channel][out channel of its group], already rounded to T.
  ConvTransposeKernel(const ConvTranspose& op, std::vector<float> weight, std::vector<float> bias)
      : op_(op), weight_(std::move(weight)), bias_(std::move(bias)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    std::vector<float> sums(bias_.size());
    for (int y = y0; y < y1; ++y) {
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        sums = bias_;
        for (int ky = 0; ky < op_.kernel_h; ++ky) {
          const int sy = source(y, op_.pad_top, ky, op_.dilation_h, op_.stride_h);
          if (sy < in[0].region.y || sy >= in[0].region.y + in[0].region.h) continue;
          for (int kx = 0; kx < op_.kernel_w; ++kx) {
            const int sx = source(x, op_.pad_left, kx, op_.dilation_w, op_.stride_w);
            if (sx < in[0].region.x || sx >= in[0].region.x + in[0].region.w) continue;
            add_tap(in[0].at<T>(sy, sx), in[0].channels, ky * op_.kernel_w + kx, sums);
          }
        }
        T* dst = out.at<T>(y, x);
        for (size_t c = 0; c < sums.size(); ++c) dst[c] = Stored<T>::store(sums[c], {});
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  void add_tap(const T* src, int in_channels, int tap, std::vector<float>& sums) const {
    const int in_group = in_channels / op_.group, out_group = int(sums.size()) / op_.group;
    const float* __restrict w = weight_.data() + ptrdiff_t(tap) * in_channels * out_group;
    for (int i = 0; i < in_channels; ++i, w += out_group) {
      const float v = Stored<T>::load(src[i], {});
      float* __restrict s = sums.data() + ptrdiff_t(i / in_group) * out_group;
      for (int o = 0; o < out_group; ++o) s[o] += v * w[o];
    }
  }

  ConvTranspose op_;
  std::vector<float> weight_, bias_;
};

}  // namespace

Prepared prepare_conv_transpose(const NodeProblem& p, const ConvTranspose& op) {
  if (p.out.type == DType::u8)
    return node_error(p.node, "a transposed convolution is computed in f32 or bf16 only, not in u8");
  const int in_channels = p.in[0].channels, out_channels = p.out.channels;
  if (op.group < 1 || in_channels % op.group || out_channels % op.group)
    return node_error(
        p.node, fmt::format("{} groups for {} channels in, {} out", op.group, in_channels, out_channels));
  const Constant& w = p.graph.constants[size_t(op.weight)];
  const int out_group = out_channels / op.group, taps = op.kernel_h * op.kernel_w;
  const Shape expected{in_channels, out_group, op.kernel_h, op.kernel_w};
  if (w.shape != expected)
    return node_error(p.node, fmt::format("weight [{}], expected [{}]", fmt::join(w.shape, ", "),
                                          fmt::join(expected, ", ")));
  std::vector<float> weight(w.values.size());
  for (int i = 0; i < in_channels; ++i)
    for (int o = 0; o < out_group; ++o)
      for (int t = 0; t < taps; ++t) {
        const float v = w.values[(size_t(i) * out_group + o) * taps + t];
        weight[(size_t(t) * in_channels + i) * out_group + o] =
            p.out.type == DType::bf16 ? to_float(to_bf16(v)) : v;
      }
  std::vector<float> bias(static_cast<size_t>(out_channels));
  if (op.bias != kNone) {
    bias = p.graph.constants[size_t(op.bias)].values;
    if (bias.size() != size_t(out_channels))
      return node_error(p.node, fmt::format("bias of {} values for {} channels", bias.size(), out_channels));
  }
  if (p.out.type == DType::f32)
    return std::unique_ptr<Kernel>(
        std::make_unique<ConvTransposeKernel<float>>(op, std::move(weight), std::move(bias)));
  return std::unique_ptr<Kernel>(
      std::make_unique<ConvTransposeKernel<Bf16>>(op, std::move(weight), std::move(bias)));
}

}  // namespace fye
