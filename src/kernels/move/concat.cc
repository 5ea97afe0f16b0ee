// Concat along the channels: a short copy a pixel and input, of requantised bytes where u8 scales differ.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/move/move.h"
#include "kernels/move/requantise.h"

namespace fye {
namespace {

// What an input's bytes become.
struct Change {
  Quant from, to;
  bool none = true;
  RequantiseBytes* fast = nullptr;  // else by the table
  std::vector<uint8_t> table;       // 256 values, unless none
};

// One input's row: the next pixel to copy, and how far pixels and their channels reach.
struct Part {
  const std::byte* at;
  ptrdiff_t step, bytes;
  const Change* change;
};

// `count` pixels of one input to where they belong. kBytes: what a pixel has, or 0 if known at run time only.
template <ptrdiff_t kBytes = 0>
void copy_pixels(const std::byte* from, ptrdiff_t step, std::byte* to, ptrdiff_t to_step, ptrdiff_t count,
                 ptrdiff_t bytes) {
  if (kBytes == 0 && bytes == 32) return copy_pixels<32>(from, step, to, to_step, count, bytes);
  if (kBytes == 0 && bytes == 64) return copy_pixels<64>(from, step, to, to_step, count, bytes);
  for (ptrdiff_t x = 0; x < count; ++x, from += step, to += to_step)
    std::memcpy(to, from, size_t(kBytes ? kBytes : bytes));
}

// Pixels are brought to the output's scale a piece of a row at a time.
constexpr ptrdiff_t kPieceBytes = 4096;

// A pixel of up to 16 bytes is copied as 16: the surplus is overwritten by what follows it in the row.
constexpr ptrdiff_t kShort = 16;

class ConcatKernel : public Kernel {
 public:
  ConcatKernel(int size, std::vector<Change> changes) : size_(size), changes_(std::move(changes)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    std::vector<Part> parts(in.size());
    for (int y = y0; y < y1; ++y) {
      const ptrdiff_t safe = short_pixels(in, out);
      for (size_t i = 0; i < in.size(); ++i) {
        const ptrdiff_t step = ptrdiff_t(in[i].pitch) * size_, bytes = ptrdiff_t(in[i].channels) * size_;
        parts[i] = {
            in[i].origin + (y - in[i].region.y) * in[i].row_bytes + (out.region.x - in[i].region.x) * step,
            step, bytes, &changes_[i]};
      }
      row(parts, out, y, safe);
      fill(out, y);
    }
  }
  std::string_view variant() const override { return "copy"; }

 private:
  // Pixels of the row, from its first on, that may be copied 16 bytes at a time; 0 unless all inputs are that
  // short.
  ptrdiff_t short_pixels(std::span<const Map> in, const Map& out) const {
    const auto inside = [](ptrdiff_t room, ptrdiff_t step) {
      return room < kShort ? 0 : (room - kShort) / step + 1;
    };
    const ptrdiff_t out_step = ptrdiff_t(out.pitch) * size_;
    ptrdiff_t last = 0;  // where a pixel's last input begins
    ptrdiff_t safe = out.region.w;
    for (size_t i = 0; i < in.size(); ++i) {
      const ptrdiff_t step = ptrdiff_t(in[i].pitch) * size_, bytes = ptrdiff_t(in[i].channels) * size_;
      if (bytes > kShort || !changes_[i].none) return 0;
      safe = std::min(safe, inside((in[i].region.x + in[i].region.w - out.region.x) * step, step));
      if (i + 1 < in.size()) last += bytes;
    }
    return std::min(safe, inside(out.region.w * out_step - last, out_step));
  }

  void row(std::vector<Part>& parts, const Map& out, int y, ptrdiff_t safe) const {
    const ptrdiff_t out_step = ptrdiff_t(out.pitch) * size_;
    std::byte* dst = out.origin + (y - out.region.y) * out.row_bytes;
    for (ptrdiff_t x = 0; x < safe; ++x, dst += out_step) {
      std::byte* to = dst;
      for (Part& part : parts) {
        std::memcpy(to, part.at, kShort);
        to += part.bytes;
        part.at += part.step;
      }
    }
    for (Part& part : parts) {
      put(part, dst, out_step, out.region.w - safe);
      dst += part.bytes;
    }
  }

  // `count` pixels of a part to `to`.
  static void put(const Part& part, std::byte* to, ptrdiff_t to_step, ptrdiff_t count) {
    const Change& change = *part.change;
    if (change.none) return copy_pixels(part.at, part.step, to, to_step, count, part.bytes);
    if (!change.fast || part.bytes < kShort || part.step > kPieceBytes) {
      for (ptrdiff_t x = 0; x < count; ++x)
        for (ptrdiff_t c = 0; c < part.bytes; ++c)
          to[x * to_step + c] = std::byte(change.table[size_t(part.at[x * part.step + c])]);
      return;
    }
    std::byte piece[kPieceBytes];
    for (ptrdiff_t x = 0, most = kPieceBytes / part.step; x < count; x += most) {
      const ptrdiff_t pixels = std::min(most, count - x);
      change.fast(part.at + x * part.step, piece, pixels * part.step, change.from, change.to);
      copy_pixels(piece, part.step, to + x * to_step, to_step, pixels, part.bytes);
    }
  }

  void fill(const Map& out, int y) const {
    if (size_ == 1) fill_gap<uint8_t>(out, y);
    if (size_ == 2) fill_gap<Bf16>(out, y);
    if (size_ == 4) fill_gap<float>(out, y);
  }

  int size_;
  std::vector<Change> changes_;
};

Change change_of(Quant from, Quant to, Isa max) {
  Change change{.from = from, .to = to, .none = from == to};
  if (change.none) return change;
#ifdef __x86_64__
  if (may_use(Isa::avx2, max) && std::isfinite(from.scale / to.scale)) change.fast = requantise_bytes_avx2;
#endif
  for (int q = 0; q < 256; ++q) change.table.push_back(requantised<uint8_t>(q, from, to));
  return change;
}

}  // namespace

Prepared prepare_concat(const NodeProblem& p, const Concat& op) {
  const int rank = input_rank(p.graph, p.node);
  const int axis = op.axis < 0 ? op.axis + rank : op.axis;
  if (axis != 1)
    return node_error(
        p.node,
        fmt::format("concat along axis {} of {} dimensions: only along the channels, axis 1", op.axis, rank));
  int channels = 0;
  std::vector<Change> changes;
  for (const Format& in : p.in) {
    channels += in.channels;
    changes.push_back(change_of(in.quant, p.out.type == DType::u8 ? p.out.quant : in.quant, p.max));
  }
  if (channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in all, {} out", channels, p.out.channels));
  return std::unique_ptr<Kernel>(std::make_unique<ConcatKernel>(size_of(p.out.type), std::move(changes)));
}

}  // namespace fye
