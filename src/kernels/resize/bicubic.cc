// With a whole factor f the phases repeat: output Y reads inputs floor((2 Y + 1 - f) / (2 f)) - 1 to + 2 with
// one of f weight sets (R. Keys, "Cubic convolution interpolation for digital image processing", IEEE ASSP
// 1981, with a for his -1/2). Each output row first blends four input rows, then four columns: the same order
// for every pixel, so tiles change nothing. Clamping to the input region repeats the edge: the region ends
// before a tap only at the true border.
#include "kernels/resize/bicubic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace fye {
namespace {

using Weights = std::array<float, 4>;

// Keys' kernel at distance t, 0 <= t < 2.
double keys(double t, double a) {
  return t < 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
}

// The input position left of output `at`, and the phase.
struct Position {
  int left, phase;
};
Position position(int at, int factor) {
  const int twice = 2 * at + 1 - factor, period = 2 * factor;
  const int left = twice >= 0 ? twice / period : -((-twice + period - 1) / period);
  return {left, at % factor};
}

std::vector<Weights> phases(int factor, double a) {
  std::vector<Weights> all(static_cast<size_t>(factor));
  for (int at = 0; at < factor; ++at) {
    const Position p = position(at, factor);
    const double t = double(2 * at + 1 - factor - 2 * factor * p.left) / (2 * factor);
    all[size_t(p.phase)] = {float(keys(1 + t, a)), float(keys(t, a)), float(keys(1 - t, a)),
                            float(keys(2 - t, a))};
  }
  return all;
}

template <class T>
class BicubicKernel : public Kernel {
 public:
  BicubicKernel(const Resize& op, Quant in, Quant out)
      : op_(op),
        in_(in),
        out_(out),
        down_(phases(op.factor_h, op.cubic_a)),
        across_(phases(op.factor_w, op.cubic_a)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const Map& from = in[0];
    const int channels = out.channels;
    std::vector<float> blended(size_t(from.region.w) * channels);
    for (int y = y0; y < y1; ++y) {
      blend_rows(from, y, channels, blended.data());
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const Position p = position(x, op_.factor_w);
        const Weights& w = across_[size_t(p.phase)];
        const float* tap[4];
        for (int k = 0; k < 4; ++k) {
          const int column = std::clamp(p.left - 1 + k - from.region.x, 0, from.region.w - 1);
          tap[k] = blended.data() + ptrdiff_t(column) * channels;
        }
        T* dst = out.at<T>(y, x);
        for (int c = 0; c < channels; ++c)
          dst[c] = Stored<T>::store(w[0] * tap[0][c] + w[1] * tap[1][c] + w[2] * tap[2][c] + w[3] * tap[3][c],
                                    out_);
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  void blend_rows(const Map& from, int y, int channels, float* blended) const {
    const Position p = position(y, op_.factor_h);
    const Weights& w = down_[size_t(p.phase)];
    const T* row[4];
    for (int k = 0; k < 4; ++k) {
      const int at = std::clamp(p.left - 1 + k, from.region.y, from.region.y + from.region.h - 1);
      row[k] = from.at<T>(at, from.region.x);
    }
    for (int x = 0; x < from.region.w; ++x, blended += channels) {
      const ptrdiff_t at = ptrdiff_t(x) * from.pitch;
      for (int c = 0; c < channels; ++c)
        blended[c] =
            w[0] * Stored<T>::load(row[0][at + c], in_) + w[1] * Stored<T>::load(row[1][at + c], in_) +
            w[2] * Stored<T>::load(row[2][at + c], in_) + w[3] * Stored<T>::load(row[3][at + c], in_);
    }
  }

  Resize op_;
  Quant in_, out_;
  std::vector<Weights> down_, across_;
};

}  // namespace

Prepared prepare_bicubic(const NodeProblem& p, const Resize& op) {
  if (op.factor_h < 1 || op.factor_w < 1)
    return node_error(p.node, fmt::format("resize by {} x {}", op.factor_h, op.factor_w));
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  return with_storage(p.out.type, [&](auto zero) -> Prepared {
    return std::unique_ptr<Kernel>(
        std::make_unique<BicubicKernel<decltype(zero)>>(op, p.in[0].quant, p.out.quant));
  });
}

}  // namespace fye
