// Rows of pixels that belong to somebody else: a picture, or the part of one that is held.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/region.h"

namespace fye {

// Rows [first, end) of packed pixels, 8 or 16 bits a sample; rows are addressed by their number in the
// picture.
struct PixelRows {
  uint8_t* start = nullptr;  // of row `first`
  int first = 0, end = 0;
  int width = 0, channels = 0, bits = 8;

  size_t row_bytes() const { return size_t(width) * size_t(channels) * size_t(bits / 8); }
  uint8_t* row(int y) const { return start + size_t(y - first) * row_bytes(); }
  // A sample in 8-bit levels.
  float level(int y, int x, int c) const {
    const size_t at = size_t(x) * size_t(channels) + size_t(c);
    return bits == 8 ? float(row(y)[at]) : float(reinterpret_cast<const uint16_t*>(row(y))[at]) / 257.f;
  }
  bool holds(const Region& r) const {
    return r.y >= first && r.y + r.h <= end && r.x >= 0 && r.x + r.w <= width;
  }
};

}  // namespace fye
