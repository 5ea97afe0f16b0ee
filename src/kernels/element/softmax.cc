// Softmax over the channels of each pixel, the maximum subtracted first so that exp() can't overflow.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/element/element.h"

namespace fye {
namespace {

template <class T>
class SoftmaxKernel : public Kernel {
 public:
  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    std::vector<float> power(static_cast<size_t>(out.channels));
    for (int y = y0; y < y1; ++y) {
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const T* src = in[0].at<T>(y, x);
        T* dst = out.at<T>(y, x);
        float largest = Stored<T>::load(src[0], {});
        for (int c = 1; c < out.channels; ++c) largest = std::max(largest, Stored<T>::load(src[c], {}));
        double sum = 0;
        for (int c = 0; c < out.channels; ++c)
          sum += power[size_t(c)] = std::exp(Stored<T>::load(src[c], {}) - largest);
        for (int c = 0; c < out.channels; ++c) dst[c] = Stored<T>::store(float(power[size_t(c)] / sum), {});
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }
};

}  // namespace

Prepared prepare_softmax(const NodeProblem& p, const Softmax& op) {
  const int rank = input_rank(p.graph, p.node);
  const int axis = op.axis < 0 ? op.axis + rank : op.axis;
  if (axis != 1 || (rank != 2 && rank != 4))
    return node_error(
        p.node, fmt::format("softmax over axis {} of {} dimensions: only over the channels of NC or NCHW",
                            op.axis, rank));
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  if (p.out.type == DType::f32) return std::unique_ptr<Kernel>(std::make_unique<SoftmaxKernel<float>>());
  if (p.out.type == DType::bf16) return std::unique_ptr<Kernel>(std::make_unique<SoftmaxKernel<Bf16>>());
  return node_error(p.node, "softmax is computed in f32 or bf16 only, not in u8");
}

}  // namespace fye
