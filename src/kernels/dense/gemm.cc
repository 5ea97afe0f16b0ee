// Gemm on one item: a vector times a matrix, accumulated input by input so that the inner loop runs over
// outputs.
#include <fmt/format.h>

#include <vector>

#include "kernels/dense/dense.h"

namespace fye {
namespace {

template <class T>
class GemmKernel : public Kernel {
 public:
  // weight: [K][N], already rounded to T; bias: [N], already scaled by beta.
  GemmKernel(std::vector<float> weight, std::vector<float> bias, float alpha)
      : weight_(std::move(weight)), bias_(std::move(bias)), alpha_(alpha) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const size_t n = bias_.size();
    std::vector<float> sums(n);
    for (int y = y0; y < y1; ++y) {
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const T* src = in[0].at<T>(y, x);
        sums.assign(n, 0.0f);
        for (int k = 0; k < in[0].channels; ++k) {
          const float v = Stored<T>::load(src[k], {});
          const float* __restrict w = weight_.data() + size_t(k) * n;
          float* __restrict s = sums.data();
          for (size_t i = 0; i < n; ++i) s[i] += v * w[i];
        }
        T* dst = out.at<T>(y, x);
        for (size_t i = 0; i < n; ++i) dst[i] = Stored<T>::store(alpha_ * sums[i] + bias_[i], {});
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  std::vector<float> weight_, bias_;
  float alpha_;
};

}  // namespace

Prepared prepare_gemm(const NodeProblem& p, const Gemm& op) {
  if (p.out.type == DType::u8) return node_error(p.node, "a Gemm is computed in f32 or bf16 only, not in u8");
  if (op.trans_a) return node_error(p.node, "transA needs the whole batch at once and is refused");
  const Constant& b = p.graph.constants[size_t(op.weight)];
  const int64_t k = p.in[0].channels, n = p.out.channels;
  const Shape expected = op.trans_b ? Shape{n, k} : Shape{k, n};
  if (b.shape != expected)
    return node_error(p.node, fmt::format("weight [{}], expected [{}]", fmt::join(b.shape, ", "),
                                          fmt::join(expected, ", ")));
  std::vector<float> weight(size_t(k * n)), bias(static_cast<size_t>(n));
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < n; ++j) {
      const float w = b.values[size_t(op.trans_b ? j * k + i : i * n + j)];
      weight[size_t(i * n + j)] = p.out.type == DType::bf16 ? to_float(to_bf16(w)) : w;
    }
  if (op.bias != kNone) {
    const Constant& c = p.graph.constants[size_t(op.bias)];
    if (c.values.size() != 1 && int64_t(c.values.size()) != n)
      return node_error(p.node, fmt::format("bias of {} values for {} outputs", c.values.size(), n));
    if (c.shape.size() == 2 && c.shape[0] != 1)
      return node_error(p.node, fmt::format("bias with {} rows, expected 1", c.shape[0]));
    for (size_t j = 0; j < bias.size(); ++j) bias[j] = op.beta * c.values[c.values.size() == 1 ? 0 : j];
  }
  if (p.out.type == DType::f32)
    return std::unique_ptr<Kernel>(
        std::make_unique<GemmKernel<float>>(std::move(weight), std::move(bias), op.alpha));
  return std::unique_ptr<Kernel>(
      std::make_unique<GemmKernel<Bf16>>(std::move(weight), std::move(bias), op.alpha));
}

}  // namespace fye
