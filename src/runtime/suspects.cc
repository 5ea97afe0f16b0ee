// Almost always a patch is found sound by two pixels that differ, so looking costs a few cache lines for each
// thousand pixels. Tested by runtime/guard_test.cc.
#include "runtime/suspects.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fye {
namespace {

// Input pixels whose pixels of a map must all be equal to count as flat, from the grid's point on.
constexpr int kStrip = 8;
// Bytes that come from memory together: pixels that are smaller cost nothing to look at beside their
// neighbours.
constexpr int kLine = 64;
// Where in a cell the strip is looked for: its middle.
constexpr int kOffset = kGuardCell / 2;

// All exponent bits set is infinity or NaN.
bool finite_values(const std::byte* row, DType type, int count) {
  uint32_t broken = 0;
  if (type == DType::f32) {
    const auto* bits = reinterpret_cast<const uint32_t*>(row);
    for (int i = 0; i < count; ++i) broken |= (bits[i] & 0x7f800000u) == 0x7f800000u;
  } else {
    const auto* bits = reinterpret_cast<const uint16_t*>(row);
    uint16_t any = 0;
    for (int i = 0; i < count; ++i) any |= uint16_t((bits[i] & 0x7f80u) == 0x7f80u);
    broken = any;
  }
  return broken == 0;
}

// Pixels [from, to) of a row, or one of so many `columns`.
bool finite_pixels(const Map& map, int y, int from, int to, int columns) {
  if (columns == 1) return finite_values(pixel_at(map, y, from), map.type, (to - from) * map.pitch);
  for (int x = (from + columns - 1) / columns * columns; x < to; x += columns)
    if (!finite_values(pixel_at(map, y, x), map.type, map.channels)) return false;
  return true;
}

bool is_float(DType type) { return type == DType::f32 || type == DType::bf16; }

bool flat_strip(const Map& map, int y, int x, int count) {
  const std::byte* first = pixel_at(map, y, x);
  const size_t pixel = size_t(map.channels) * size_t(size_of(map.type));
  // The far end first: neighbours are equal more often.
  for (int i = count - 1; i > 0; --i)
    if (std::memcmp(first, pixel_at(map, y, x + i), pixel) != 0) return false;
  return true;
}

bool all_zero(const Map& map, int y, int x) {
  const std::byte* pixel = pixel_at(map, y, x);
  for (int c = 0; c < map.channels; ++c) {
    const bool zero = map.type == DType::f32    ? reinterpret_cast<const float*>(pixel)[c] == 0
                      : map.type == DType::bf16 ? (reinterpret_cast<const uint16_t*>(pixel)[c] & 0x7fff) == 0
                      : map.type == DType::u8   ? reinterpret_cast<const uint8_t*>(pixel)[c] == map.quant.zero
                                                : reinterpret_cast<const int16_t*>(pixel)[c] == 0;
    if (!zero) return false;
  }
  return true;
}

// Input pixels that map pixels [from, to) of `size` stand for, of `whole`.
std::pair<int, int> span_of(int from, int to, int size, int whole) {
  const int begin = int(int64_t(from) * whole / size);
  const int end = int((int64_t(to) * whole + size - 1) / size);
  return {std::clamp(begin, 0, whole - 1), std::clamp(end, 1, whole)};
}

}  // namespace

bool all_finite(const Map& map) {
  if (!is_float(map.type)) return true;
  for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
    if (!finite_values(pixel_at(map, y, map.region.x), map.type, map.region.w * map.pitch)) return false;
  return true;
}

void find_suspects(int node, const Map& map, int map_height, int map_width, const PixelRows& picture,
                   int picture_height, int step, bool silent, std::vector<Suspect>& suspects) {
  const Region& r = map.region;
  if (r.h <= 0 || r.w <= 0) return;
  if (is_float(map.type)) {
    const int rows = std::max(1, int(int64_t(step) * map_height / picture_height));
    const int columns = map.pitch * size_of(map.type) < kLine
                            ? 1
                            : std::max(1, int(int64_t(step) * map_width / picture.width));
    const int offset = step == kGuardCell ? rows / 2 : 0;
    for (int y = (r.y - offset + rows - 1) / rows * rows + offset; y < r.y + r.h; y += rows) {
      if (y < r.y) continue;
      if (finite_pixels(map, y, r.x, r.x + r.w, columns)) continue;
      int from = r.w, to = 0;
      for (int x = 0; x < r.w; ++x)
        if (!finite_values(pixel_at(map, y, r.x + x), map.type, map.channels)) {
          from = std::min(from, x);
          to = x + 1;
        }
      if (from >= to) continue;  // the gap between channels and pitch
      const auto [top, bottom] = span_of(y, y + 1, map_height, picture_height);
      const auto [left, right] = span_of(r.x + from, r.x + to, map_width, picture.width);
      suspects.push_back({{top, left, bottom - top, right - left}, node, true});
    }
  }
  const auto on_grid = [&](int cell, int size, int whole) {
    return int((int64_t(cell) * kGuardCell + kOffset) * size / whole);
  };
  const int strip = std::max(kStrip, int(int64_t(kStrip) * map_width / picture.width));
  // From the first grid row at or after the region's first row on.
  int cell = int(int64_t(r.y) * picture_height / map_height / kGuardCell);
  for (int y; (y = on_grid(cell, map_height, picture_height)) < r.y + r.h; ++cell) {
    if (y < r.y) continue;
    int column = int(int64_t(r.x) * picture.width / map_width / kGuardCell);
    for (int x; (x = on_grid(column, map_width, picture.width)) + strip <= r.x + r.w; ++column) {
      if (x < r.x || !flat_strip(map, y, x, strip) || (silent && all_zero(map, y, x))) continue;
      const auto [top, bottom] = span_of(y, y + 1, map_height, picture_height);
      const auto [left, right] = span_of(x, x + strip, map_width, picture.width);
      const Region seen{top, left, bottom - top, right - left};
      if (!picture.holds(seen) || range_of(picture, seen) <= kPlainLevels) continue;
      suspects.push_back({seen, node, false});
    }
  }
}

float range_of(const PixelRows& p, const Region& r) {
  float widest = 0;
  for (int c = 0; c < p.channels; ++c) {
    float low = 255, high = 0;
    for (int y = r.y; y < r.y + r.h; ++y)
      for (int x = r.x; x < r.x + r.w; ++x) {
        const float v = p.level(y, x, c);
        low = std::min(low, v);
        high = std::max(high, v);
      }
    widest = std::max(widest, high - low);
  }
  return widest;
}

float deviation_of(const PixelRows& p, const Region& r) {
  float widest = 0;
  const double count = double(r.h) * r.w;
  for (int c = 0; c < p.channels; ++c) {
    double sum = 0, away = 0;
    for (int y = r.y; y < r.y + r.h; ++y)
      for (int x = r.x; x < r.x + r.w; ++x) sum += p.level(y, x, c);
    for (int y = r.y; y < r.y + r.h; ++y)
      for (int x = r.x; x < r.x + r.w; ++x) away += std::abs(p.level(y, x, c) - sum / count);
    widest = std::max(widest, float(away / count));
  }
  return widest;
}

float difference(const PixelRows& a, const PixelRows& b, const Region& r) {
  double sum = 0;
  for (int y = r.y; y < r.y + r.h; ++y)
    for (int x = r.x; x < r.x + r.w; ++x)
      for (int c = 0; c < a.channels; ++c) sum += std::abs(a.level(y, x, c) - b.level(y, x, c));
  return float(sum / (double(r.h) * r.w * a.channels));
}

bool is_flat(const PixelRows& p, const Region& r) {
  const size_t pixel = size_t(p.channels) * size_t(p.bits / 8);
  const uint8_t* first = p.row(r.y) + size_t(r.x) * pixel;
  for (int y = r.y; y < r.y + r.h; ++y) {
    const uint8_t* at = p.row(y) + size_t(r.x) * pixel;
    for (int x = 0; x < r.w; ++x, at += pixel)
      if (std::memcmp(at, first, pixel) != 0) return false;
  }
  return true;
}

}  // namespace fye
