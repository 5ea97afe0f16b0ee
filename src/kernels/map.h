// Map: a rectangular part of an NHWC feature map in memory; what every kernel reads and writes.
#pragma once

#include <cstddef>

#include "graph/region.h"
#include "graph/tensor.h"

namespace fye {

// A view; owns nothing. Coordinates are those of the whole feature map, so a tile and the whole picture run the same code.
// Pixels lie `pitch` elements apart (>= channels; kernels may read the gap, which holds the zero point or zero, and must
// keep it so); rows lie `row_bytes` apart. `margin` pixels on all four sides beyond `region` are readable and, where region
// touches the map's true border, hold the padding value (zero, or the zero point of a quantised map). At least 256 bytes
// past the last element are readable.
struct Map {
  DType type = DType::f32;
  Quant quant;  // u8, u16 and s16 only; zero point 0 in s16
  int channels = 0, pitch = 0, margin = 0;
  Region region;
  ptrdiff_t row_bytes = 0;
  std::byte* origin = nullptr;  // pixel (region.y, region.x), channel 0

  // Pixel (y, x) in map coordinates; margins may be addressed.
  template <class T>
  T* at(int y, int x) const {
    return reinterpret_cast<T*>(origin + (y - region.y) * row_bytes) + ptrdiff_t(x - region.x) * pitch;
  }
};

// Pixel (y, x) of `map`, whatever its type.
inline std::byte* pixel_at(const Map& map, int y, int x) {
  return map.origin + (y - map.region.y) * map.row_bytes +
         ptrdiff_t(x - map.region.x) * map.pitch * size_of(map.type);
}

// The part of `map` that is `region`, which lies inside it.
inline Map part_of(Map map, const Region& region) {
  map.origin = pixel_at(map, region.y, region.x);
  map.region = region;
  return map;
}

// Elements a pixel takes in an executor's map: channels rounded up so that a pixel is whole 32-bit groups (u8: 4, bf16: 2,
// f32: 1), which is what the dot-product kernels broadcast.
constexpr int pitch_for(DType type, int channels) {
  const int group = size_of(type) >= 4 ? 1 : 4 / size_of(type);
  return (channels + group - 1) / group * group;
}

}  // namespace fye
