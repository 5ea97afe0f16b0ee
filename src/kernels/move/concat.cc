// Concat along the channels: a short copy a pixel and input, or a table look-up where u8 scales differ.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/move/move.h"

namespace fye {
namespace {

using ByteMap = std::vector<uint8_t>;  // 256 values, or none: no change

// One input's row: the next pixel to copy, and how far pixels and their channels reach.
struct Part {
  const std::byte* at;
  ptrdiff_t step, bytes;
  const ByteMap* table;
};

// A pixel of up to 16 bytes is copied as 16: the surplus is overwritten by what follows it in the row.
constexpr ptrdiff_t kShort = 16;

class ConcatKernel : public Kernel {
 public:
  ConcatKernel(int size, std::vector<ByteMap> tables) : size_(size), tables_(std::move(tables)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    std::vector<Part> parts(in.size());
    for (int y = y0; y < y1; ++y) {
      const ptrdiff_t safe = short_pixels(in, out);
      for (size_t i = 0; i < in.size(); ++i) {
        const ptrdiff_t step = ptrdiff_t(in[i].pitch) * size_, bytes = ptrdiff_t(in[i].channels) * size_;
        parts[i] = {
            in[i].origin + (y - in[i].region.y) * in[i].row_bytes + (out.region.x - in[i].region.x) * step,
            step, bytes, &tables_[i]};
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
      if (bytes > kShort || !tables_[i].empty()) return 0;
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
    for (ptrdiff_t x = safe; x < out.region.w; ++x, dst += out_step) {
      std::byte* to = dst;
      for (Part& part : parts) {
        if (part.table->empty())
          std::memcpy(to, part.at, size_t(part.bytes));
        else
          for (ptrdiff_t c = 0; c < part.bytes; ++c) to[c] = std::byte((*part.table)[size_t(part.at[c])]);
        to += part.bytes;
        part.at += part.step;
      }
    }
  }

  void fill(const Map& out, int y) const {
    if (size_ == 1) fill_gap<uint8_t>(out, y);
    if (size_ == 2) fill_gap<Bf16>(out, y);
    if (size_ == 4) fill_gap<float>(out, y);
  }

  int size_;
  std::vector<ByteMap> tables_;
};

// q -> sat(rne((q - z) * (s_in / s_out)) + z_out), float32.
ByteMap requantise_table(Quant in, Quant out) {
  if (in == out) return {};
  const float ratio = in.scale / out.scale;
  ByteMap table(256);
  for (int q = 0; q < 256; ++q)
    table[size_t(q)] = uint8_t(saturate(float(q - in.zero) * ratio, out.zero, 255));
  return table;
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
  std::vector<ByteMap> tables;
  for (const Format& in : p.in) {
    channels += in.channels;
    tables.push_back(p.out.type == DType::u8 ? requantise_table(in.quant, p.out.quant) : ByteMap{});
  }
  if (channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in all, {} out", channels, p.out.channels));
  return std::unique_ptr<Kernel>(std::make_unique<ConcatKernel>(size_of(p.out.type), std::move(tables)));
}

}  // namespace fye
