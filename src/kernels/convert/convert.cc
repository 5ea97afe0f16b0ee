// Rows of one map into another: whole rows at once where both sides have the same pitch, else in pieces that
// stay in the first-level cache, re-pitched in the narrower of the two types. Tested by convert_test.cc.
#include "kernels/convert/convert.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <fstream>

#include "kernels/convert/row_table.h"

namespace fye {
namespace {

// Pixels of a piece times the widest pixel must fit: 8 KiB is a quarter of the smallest first-level cache in
// use.
constexpr ptrdiff_t kPieceBytes = 8192;

// Of the largest cache, as Linux says; sysconf() was seen to give ten times that in a virtual machine. 32 MiB
// where nobody says.
ptrdiff_t cache_bytes() {
  static const ptrdiff_t bytes = [] {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");
    ptrdiff_t kib = 0;
    char unit = 0;
    return file >> kib >> unit && unit == 'K' && kib > 0 ? kib << 10 : ptrdiff_t(32) << 20;
  }();
  return bytes;
}

// Where a map and what it is made from exceed the cache, its first rows have left it before its last are
// written: nothing is lost by writing past it, and lines that would only be overwritten aren't fetched.
// Between u8 and bf16 arithmetic is the limit, and streams only make it wait (docs/results.md).
bool past_the_cache(const Map& in, const Map& out) {
  const int in_size = size_of(in.type), out_size = size_of(out.type);
  const ptrdiff_t pixel = ptrdiff_t(in.pitch) * in_size + ptrdiff_t(out.pitch) * out_size;
  return std::max(in_size, out_size) >= 4 && pixel * out.region.w * out.region.h > cache_bytes();
}

// The bit pattern of real zero: the zero point, or 0.0.
uint32_t zero_pattern(DType type, Quant quant) {
  return type == DType::u8 || type == DType::u16 ? uint32_t(quant.zero) : 0;  // s16 has none
}

void fill(std::byte* out, ptrdiff_t elements, int size, uint32_t pattern) {
  if (size == 1 || pattern == 0) {
    std::memset(out, int(pattern), size_t(elements) * size);
    return;
  }
  for (ptrdiff_t i = 0; i < elements; ++i) std::memcpy(out + i * size, &pattern, size);
}

// One row's layout change without a change of type: everything repitch() needs to know.
struct Layout {
  int size, channels, in_pitch, out_pitch;
  uint32_t gap;
};

void repitch(const RowTable& table, const Layout& l, const std::byte* in, std::byte* out, ptrdiff_t pixels) {
  if (l.in_pitch == l.out_pitch) {
    std::memcpy(out, in, size_t(pixels) * l.in_pitch * l.size);
    return;
  }
  if (l.channels == 3 && l.size <= 2) {
    if (l.in_pitch == 3 && l.out_pitch == 4) return table.pitch_3_to_4[l.size - 1](in, out, pixels, l.gap);
    if (l.in_pitch == 4 && l.out_pitch == 3) return table.pitch_4_to_3[l.size - 1](in, out, pixels, l.gap);
  }
  const ptrdiff_t in_step = ptrdiff_t(l.in_pitch) * l.size, out_step = ptrdiff_t(l.out_pitch) * l.size;
  const ptrdiff_t bytes = ptrdiff_t(l.channels) * l.size;
  for (ptrdiff_t i = 0; i < pixels; ++i) {
    std::memcpy(out + i * out_step, in + i * in_step, size_t(bytes));
    fill(out + i * out_step + bytes, l.out_pitch - l.channels, l.size, l.gap);
  }
}

}  // namespace

const RowTable& choose_rows([[maybe_unused]] Isa max) {
#ifdef __x86_64__
  if (may_use(Isa::avx512, max)) return rows_avx512();
  if (may_use(Isa::avx2, max)) return rows_avx2();
#endif
  return rows_scalar();
}

void convert_rows(const Map& in, const Map& out, int y0, int y1, Isa max) {
  const int from = map_type_index(in.type), to = map_type_index(out.type);
  assert(from >= 0 && to >= 0 && in.channels == out.channels && in.region.contains(out.region));
  const RowTable& table = choose_rows(max);
  const int in_size = size_of(in.type), out_size = size_of(out.type);
  const bool quantised = in.type != DType::f32 && in.type != DType::bf16;
  const bool copy = from == to && (!quantised || in.quant == out.quant);
  const uint32_t in_zero = zero_pattern(in.type, in.quant), out_zero = zero_pattern(out.type, out.quant);
  const ptrdiff_t width = out.region.w;
  const ptrdiff_t in_step = ptrdiff_t(in.pitch) * in_size, out_step = ptrdiff_t(out.pitch) * out_size;
  const ConvertFlat flat = (past_the_cache(in, out) ? table.stream : table.flat)[from][to];
  const bool narrow_first = in_size <= out_size;  // re-pitch before converting
  const Layout layout{narrow_first ? in_size : out_size, in.channels, in.pitch, out.pitch,
                      narrow_first ? in_zero : out_zero};
  const ptrdiff_t piece_step = narrow_first ? ptrdiff_t(out.pitch) * in_size : ptrdiff_t(in.pitch) * out_size;
  const ptrdiff_t piece =
      std::max<ptrdiff_t>(1, kPieceBytes / std::max(piece_step, std::max(in_step, out_step)));

  for (int y = y0; y < y1; ++y) {
    const std::byte* src =
        in.origin + (y - in.region.y) * in.row_bytes + (out.region.x - in.region.x) * in_step;
    std::byte* dst = out.origin + (y - out.region.y) * out.row_bytes;
    if (copy) {
      repitch(table, layout, src, dst, width);
    } else if (in.pitch == out.pitch) {
      flat(src, dst, width * in.pitch, in.quant, out.quant);
    } else if (piece_step > kPieceBytes) {  // a pixel that wide is a row of its own
      for (ptrdiff_t x = 0; x < width; ++x) {
        flat(src + x * in_step, dst + x * out_step, in.channels, in.quant, out.quant);
        fill(dst + x * out_step + ptrdiff_t(out.channels) * out_size, out.pitch - out.channels, out_size,
             out_zero);
      }
    } else {
      alignas(64) std::byte buffer[kPieceBytes];
      for (ptrdiff_t x = 0; x < width; x += piece) {
        const ptrdiff_t n = std::min(piece, width - x);
        if (narrow_first) {
          repitch(table, layout, src + x * in_step, buffer, n);
          flat(buffer, dst + x * out_step, n * out.pitch, in.quant, out.quant);
        } else {
          flat(src + x * in_step, buffer, n * in.pitch, in.quant, out.quant);
          repitch(table, layout, buffer, dst + x * out_step, n);
        }
      }
    }
  }
}

void fill_margin(const Map& map, int full_h, int full_w) {
  const int size = size_of(map.type), margin = map.margin;
  const Region& r = map.region;
  const uint32_t zero = zero_pattern(map.type, map.quant);
  const ptrdiff_t step = ptrdiff_t(map.pitch) * size;
  for (int y = r.y - margin; y < r.y + r.h + margin; ++y) {
    std::byte* row = map.origin + (y - r.y) * map.row_bytes;  // pixel r.x
    const auto columns = [&](int begin, int end) {
      if (begin < end) fill(row + (begin - r.x) * step, ptrdiff_t(end - begin) * map.pitch, size, zero);
    };
    const int left = r.x - margin, right = r.x + r.w + margin;
    if (y < 0 || y >= full_h) {
      columns(left, right);
    } else {
      columns(left, std::min(0, right));
      columns(std::max(full_w, left), right);
    }
  }
}

}  // namespace fye
