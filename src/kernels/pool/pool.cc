// Window by window, channels innermost. A window is clipped to the input region: where that ends before the
// window does, it is the feature map's true border.
#include "kernels/pool/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace fye {
namespace {

// The taps of a window along one axis: positions at + k * dilation for k in [begin, end), and how many of all
// taps count in an average that includes padding.
struct Taps {
  int at, begin, end, with_padding;
};

Taps taps(int out, int stride, int pad_begin, int pad_end, int kernel, int dilation, int in_begin,
          int in_end) {
  Taps t{out * stride - pad_begin, 0, kernel, 0};
  while (t.begin < t.end && t.at + t.begin * dilation < in_begin) ++t.begin;
  while (t.end > t.begin && t.at + (t.end - 1) * dilation >= in_end) --t.end;
  for (int k = 0; k < kernel; ++k) t.with_padding += t.at + k * dilation < in_end + pad_end;
  return t;
}

template <class T>
class PoolKernel : public Kernel {
 public:
  PoolKernel(const Pool& op, Quant in, Quant out) : op_(op), in_(in), out_(out) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const Region& r = in[0].region;
    std::vector<float> sums(static_cast<size_t>(out.channels));
    for (int y = y0; y < y1; ++y) {
      const Taps ty =
          taps(y, op_.stride_h, op_.pad_top, op_.pad_bottom, op_.kernel_h, op_.dilation_h, r.y, r.y + r.h);
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const Taps tx =
            taps(x, op_.stride_w, op_.pad_left, op_.pad_right, op_.kernel_w, op_.dilation_w, r.x, r.x + r.w);
        if (op_.kind == Pool::Kind::max)
          largest(in[0], ty, tx, out.at<T>(y, x), out.channels, sums.data());
        else
          average(in[0], ty, tx, out.at<T>(y, x), out.channels, sums.data());
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  template <class Visit>
  void visit(const Map& in, const Taps& ty, const Taps& tx, Visit f) const {
    for (int ky = ty.begin; ky < ty.end; ++ky)
      for (int kx = tx.begin; kx < tx.end; ++kx)
        f(in.at<T>(ty.at + ky * op_.dilation_h, tx.at + kx * op_.dilation_w));
  }

  void largest(const Map& in, const Taps& ty, const Taps& tx, T* dst, int channels, float* best) const {
    if constexpr (std::is_same_v<T, uint8_t>) {
      std::fill_n(dst, channels, uint8_t{0});
      visit(in, ty, tx, [&](const uint8_t* v) {
        for (int c = 0; c < channels; ++c) dst[c] = std::max(dst[c], v[c]);
      });
    } else {
      std::fill_n(best, channels, -std::numeric_limits<float>::infinity());
      visit(in, ty, tx, [&](const T* v) {
        for (int c = 0; c < channels; ++c) best[c] = std::max(best[c], Stored<T>::load(v[c], {}));
      });
      for (int c = 0; c < channels; ++c) dst[c] = Stored<T>::store(best[c], {});
    }
  }

  // Row by row, column by column, in float32: the order is part of the result.
  void average(const Map& in, const Taps& ty, const Taps& tx, T* dst, int channels, float* sums) const {
    std::fill_n(sums, channels, 0.0f);
    visit(in, ty, tx, [&](const T* v) {
      for (int c = 0; c < channels; ++c) sums[c] += Stored<T>::load(v[c], in_);
    });
    const int count =
        op_.count_include_pad ? ty.with_padding * tx.with_padding : (ty.end - ty.begin) * (tx.end - tx.begin);
    for (int c = 0; c < channels; ++c) dst[c] = Stored<T>::store(sums[c] / float(count), out_);
  }

  Pool op_;
  Quant in_, out_;
};

// Sums in double, row by row: the same for any number of threads.
template <class T>
class GlobalAverageKernel : public Kernel {
 public:
  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const Region& r = in[0].region;
    if (y0 >= y1) return;
    std::vector<double> sums(static_cast<size_t>(out.channels));
    for (int y = r.y; y < r.y + r.h; ++y)
      for (int x = r.x; x < r.x + r.w; ++x) {
        const T* v = in[0].at<T>(y, x);
        for (int c = 0; c < out.channels; ++c) sums[size_t(c)] += Stored<T>::load(v[c], {});
      }
    const double count = double(r.h) * r.w;
    T* dst = out.at<T>(out.region.y, out.region.x);
    for (int c = 0; c < out.channels; ++c) dst[c] = Stored<T>::store(float(sums[size_t(c)] / count), {});
    fill_gap<T>(out, out.region.y);
  }
  std::string_view variant() const override { return "direct"; }
};

}  // namespace

Prepared prepare_pool(const NodeProblem& p, const Pool& op) {
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  if (op.kernel_h < 1 || op.kernel_w < 1 || op.stride_h < 1 || op.stride_w < 1 || op.dilation_h < 1 ||
      op.dilation_w < 1)
    return node_error(p.node, "kernel, stride and dilation must be at least 1");
  if (op.kind == Pool::Kind::max)
    if (Status status = same_quant(p); !status) return status.error();
  return with_storage(p.out.type, [&](auto zero) -> Prepared {
    return std::unique_ptr<Kernel>(
        std::make_unique<PoolKernel<decltype(zero)>>(op, p.in[0].quant, p.out.quant));
  });
}

Prepared prepare_global_average_pool(const NodeProblem& p) {
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  if (p.out.type == DType::f32)
    return std::unique_ptr<Kernel>(std::make_unique<GlobalAverageKernel<float>>());
  if (p.out.type == DType::bf16)
    return std::unique_ptr<Kernel>(std::make_unique<GlobalAverageKernel<Bf16>>());
  return node_error(p.node, "a global average is computed in f32 or bf16 only, not in u8");
}

}  // namespace fye
