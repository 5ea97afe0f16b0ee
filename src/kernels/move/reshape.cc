// Reshape and flatten. Maps are NHWC and ONNX means NCHW order, so elements are read and written by their
// flat NCHW index.
#include "kernels/move/move.h"

namespace fye {
namespace {

template <class T>
class ReshapeKernel : public Kernel {
 public:
  // `in` and `out` cover their whole feature maps and hold the same number of elements.
  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const int64_t in_w = in[0].region.w, in_hw = in_w * in[0].region.h;
    const int64_t out_w = out.region.w, out_hw = out_w * out.region.h;
    for (int y = y0; y < y1; ++y) {
      for (int x = 0; x < out.region.w; ++x) {
        T* dst = out.at<T>(y, out.region.x + x);
        for (int c = 0; c < out.channels; ++c) {
          const int64_t flat = c * out_hw + (y - out.region.y) * out_w + x;
          const int64_t from_c = flat / in_hw, at = flat % in_hw;
          dst[c] = in[0].at<T>(in[0].region.y + int(at / in_w), in[0].region.x + int(at % in_w))[from_c];
        }
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "copy"; }
};

}  // namespace

Prepared prepare_reshape(const NodeProblem& p, const Reshape&) {
  if (Status status = same_quant(p); !status) return status.error();
  return with_storage(p.out.type, [&](auto zero) -> Prepared {
    return std::unique_ptr<Kernel>(std::make_unique<ReshapeKernel<decltype(zero)>>());
  });
}

}  // namespace fye
