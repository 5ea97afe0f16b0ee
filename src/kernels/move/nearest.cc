// Nearest-neighbour enlargement by whole factors: every pixel factor_w times, every row factor_h times.
#include <fmt/format.h>

#include "kernels/move/copy.h"
#include "kernels/move/move.h"

namespace fye {
namespace {

template <class T>
class NearestKernel : public Kernel {
 public:
  NearestKernel(int factor_h, int factor_w) : factor_h_(factor_h), factor_w_(factor_w) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const ptrdiff_t row = ptrdiff_t(out.pitch) * out.region.w;
    for (int y = y0; y < y1; ++y) {
      T* dst = out.at<T>(y, out.region.x);
      if (y > y0 && y % factor_h_ != 0) {  // the row above came from the same input row
        std::memcpy(dst, out.at<T>(y - 1, out.region.x), size_t(row) * sizeof(T));
        continue;
      }
      line(in[0], out, y, dst, dst + row);
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "copy"; }

 private:
  void line(const Map& in, const Map& out, int y, T* dst, const T* end) const {
    const ptrdiff_t bytes = ptrdiff_t(out.channels) * ptrdiff_t(sizeof(T));
    int phase = out.region.x % factor_w_;
    const T* src = in.at<T>(y / factor_h_, out.region.x / factor_w_);
    const T* const src_end = in.at<T>(y / factor_h_, in.region.x + in.region.w);
    for (int x = 0; x < out.region.w; ++x, dst += out.pitch) {
      copy_run(reinterpret_cast<std::byte*>(dst), reinterpret_cast<const std::byte*>(src), bytes,
               (end - dst) * ptrdiff_t(sizeof(T)), (src_end - src) * ptrdiff_t(sizeof(T)));
      if (++phase == factor_w_) {
        phase = 0;
        src += in.pitch;
      }
    }
  }

  int factor_h_, factor_w_;
};

}  // namespace

Prepared prepare_nearest(const NodeProblem& p, const Resize& op) {
  if (op.factor_h < 1 || op.factor_w < 1)
    return node_error(p.node, fmt::format("resize by {} x {}", op.factor_h, op.factor_w));
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  if (Status status = same_quant(p); !status) return status.error();
  return with_storage(p.out.type, [&](auto zero) -> Prepared {
    return std::unique_ptr<Kernel>(std::make_unique<NearestKernel<decltype(zero)>>(op.factor_h, op.factor_w));
  });
}

}  // namespace fye
