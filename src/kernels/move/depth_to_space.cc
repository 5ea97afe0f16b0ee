// Depth to space: block x block groups of channels become pixels.
//
// An output row reads one input row. With DCR order and a packed output, what an input pixel gives to that
// row is one run of block * channels elements, so the row is a series of short copies: ABPN x3 in u8 moves 9
// bytes a pixel and row. CRD order (PyTorch's) and outputs with gaps go through byte shuffles on AVX2 where
// elements are narrow; the rest, and the pixels that a tile's edge cuts, by elements. Tested by move_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/move/byte_shuffle.h"
#include "kernels/move/move.h"

namespace fye {
namespace {

// Copies `count` runs of `bytes` by whole 16-byte blocks; the surplus of a run is overwritten by the next
// one.
template <int kBlocks>
void copy_blocks(const std::byte* in, ptrdiff_t in_step, std::byte* out, ptrdiff_t bytes, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; ++i, in += in_step, out += bytes) std::memcpy(out, in, 16 * kBlocks);
}

// Whole input pixels of a row, and how many bytes both rows have from there on.
struct Stretch {
  const std::byte* in;
  std::byte* out;
  ptrdiff_t in_step, out_step, in_room, out_room, pixels;

  // How many pixels, from the first on, read and write inside the rows.
  ptrdiff_t safe(ptrdiff_t reads, ptrdiff_t writes) const {
    if (in_room < reads || out_room < writes) return 0;
    return std::min({pixels, (in_room - reads) / in_step + 1, (out_room - writes) / out_step + 1});
  }
};

template <class T>
class DepthToSpaceKernel : public Kernel {
 public:
  DepthToSpaceKernel(const DepthToSpace& op, const Format& out, bool shuffles)
      : block_(op.block),
        crd_(op.crd),
        channels_(out.channels),
        zero_(stored_zero<T>(out.quant)),
        shuffles_(shuffles && sizeof(T) <= 2) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    for (int y = y0; y < y1; ++y) row(in[0], out, y);
  }
  std::string_view variant() const override { return shuffles_ ? "copy+shuffle-avx2" : "copy"; }

 private:
  // First the output pixels that the region's left edge cuts off an input pixel, then whole input pixels,
  // then the rest.
  void row(const Map& in, const Map& out, int y) const {
    const int begin = out.region.x, end = begin + out.region.w;
    const int head = std::min(end, (begin + block_ - 1) / block_ * block_), last = end / block_;
    pixels(in, out, y, begin, head);
    int done = head;
    if (head < last * block_) {
      const int first = head / block_, n = whole(in, out, y, first, last - first);
      done = (first + n) * block_;
    }
    pixels(in, out, y, done, end);
  }

  // Output pixels [begin, end) one by one.
  void pixels(const Map& in, const Map& out, int y, int begin, int end) const {
    if (begin >= end) return;
    const ptrdiff_t step = crd_ ? ptrdiff_t(block_) * block_ : 1;
    const T* src = in.at<T>(y / block_, begin / block_);
    T* dst = out.at<T>(y, begin);
    int dx = begin % block_;
    for (int x = begin; x < end; ++x, dst += out.pitch) {
      const T* from = src + source(y % block_, dx, 0);
      for (int c = 0; c < channels_; ++c) dst[c] = from[c * step];
      for (int c = channels_; c < out.pitch; ++c) dst[c] = zero_;
      if (++dx == block_) {
        dx = 0;
        src += in.pitch;
      }
    }
  }

  // The input channel that becomes channel c of the cell's pixel (dy, dx).
  ptrdiff_t source(int dy, int dx, int c) const {
    const int cell = dy * block_ + dx;
    return crd_ ? ptrdiff_t(c) * block_ * block_ + cell : ptrdiff_t(cell) * channels_ + c;
  }

  // Up to `count` whole input pixels from `first` on, as far as vectors may go; returns how many were done.
  int whole(const Map& in, const Map& out, int y, int first, int count) const {
    const ptrdiff_t size = sizeof(T), in_step = in.pitch * size,
                    out_step = ptrdiff_t(out.pitch) * block_ * size;
    const Stretch s{reinterpret_cast<const std::byte*>(in.at<T>(y / block_, first)),
                    reinterpret_cast<std::byte*>(out.at<T>(y, first * block_)),
                    in_step,
                    out_step,
                    (in.region.x + in.region.w - first) * in_step,
                    ptrdiff_t(out.region.x + out.region.w - first * block_) * out.pitch * size,
                    count};
    if (!crd_ && out.pitch == channels_) return int(copy_runs(s, y % block_));
    return shuffles_ ? int(shuffle_runs(s, y % block_, out.pitch)) : 0;
  }

  ptrdiff_t copy_runs(const Stretch& s, int dy) const {
    const ptrdiff_t offset = dy * s.out_step, blocks = (s.out_step + 15) / 16;
    if (blocks > 4) {
      for (ptrdiff_t i = 0; i < s.pixels; ++i)
        std::memcpy(s.out + i * s.out_step, s.in + offset + i * s.in_step, size_t(s.out_step));
      return s.pixels;
    }
    const ptrdiff_t n = s.safe(offset + 16 * blocks, 16 * blocks);
    constexpr decltype(&copy_blocks<1>) kCopy[] = {copy_blocks<1>, copy_blocks<2>, copy_blocks<3>,
                                                   copy_blocks<4>};
    kCopy[blocks - 1](s.in + offset, s.in_step, s.out, s.out_step, n);
    return n;
  }

  // Sixteen output bytes at a time, the last of a run first: its surplus lies in the next run's first
  // sixteen, written later.
  ptrdiff_t shuffle_runs(const Stretch& s, int dy, int out_pitch) const {
    const std::vector<ByteShuffle> pieces = shuffles(dy, out_pitch);
    if (pieces.empty()) return 0;
    const ptrdiff_t count = ptrdiff_t(pieces.size());
    int reach = 0;
    for (const ByteShuffle& piece : pieces) reach = std::max(reach, piece.reach());
    const ptrdiff_t n = s.safe(reach, 16 * count);
#ifdef __x86_64__
    for (ptrdiff_t i = count - 1; i >= 0; --i)
      shuffle_pixels_avx2(pieces[size_t(i)], s.in, s.in_step, s.out + 16 * i, s.out_step, n);
#endif
    return n;
  }

  // What an input pixel gives to the row, in pieces of sixteen bytes; empty where shuffles can't do it.
  std::vector<ByteShuffle> shuffles(int dy, int out_pitch) const {
    constexpr int kSize = int(sizeof(T));
    std::vector<int> bytes;  // source byte of each output byte
    for (int dx = 0; dx < block_; ++dx)
      for (int c = 0; c < out_pitch; ++c)
        for (int b = 0; b < kSize; ++b)
          bytes.push_back(c < channels_ ? int(source(dy, dx, c)) * kSize + b : -1);
    uint8_t gap = 0;  // bf16's zero is all zero bytes
    if constexpr (std::is_same_v<T, uint8_t>) gap = zero_;
    std::vector<ByteShuffle> pieces;
    for (size_t at = 0; at < bytes.size(); at += 16) {
      const auto piece =
          plan_shuffle(std::span(bytes).subspan(at, std::min<size_t>(16, bytes.size() - at)), gap);
      if (!piece) return {};
      pieces.push_back(*piece);
    }
    return pieces;
  }

  int block_;
  bool crd_;
  int channels_;
  T zero_;
  bool shuffles_;
};

}  // namespace

Prepared prepare_depth_to_space(const NodeProblem& p, const DepthToSpace& op) {
  const int64_t expected = int64_t(p.out.channels) * op.block * op.block;
  if (op.block < 1 || op.block > 1024 || p.in[0].channels != expected)
    return node_error(
        p.node,
        fmt::format("block {} turns {} channels into {}, not {}", op.block, p.in[0].channels,
                    op.block > 0 ? p.in[0].channels / (int64_t(op.block) * op.block) : 0, p.out.channels));
  if (Status status = same_quant(p); !status) return status.error();
  const bool shuffles = may_use(Isa::avx2, p.max);
  return with_storage(p.out.type, [&](auto zero) -> Prepared {
    return std::unique_ptr<Kernel>(std::make_unique<DepthToSpaceKernel<decltype(zero)>>(op, p.out, shuffles));
  });
}

}  // namespace fye
