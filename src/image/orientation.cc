#include "image/orientation.h"

#include <cstring>

namespace fye {

Picture upright(Picture picture, int orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool swap = swaps_sides(orientation);
  // Where output pixel (x, y) comes from, in terms of the stored picture: EXIF names the side that row 0 and
  // column 0 of the stored picture show: 2 top-right, 3 bottom-right, 4 bottom-left, 5 left-top, 6 right-top,
  // 7 right-bottom, 8 left-bottom.
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture result(swap ? picture.height : picture.width, swap ? picture.width : picture.height,
                 picture.channels, picture.bits);
  result.metadata = std::move(picture.metadata);
  result.metadata.pixels_per_mm_x =
      swap ? picture.metadata.pixels_per_mm_y : picture.metadata.pixels_per_mm_x;
  result.metadata.pixels_per_mm_y =
      swap ? picture.metadata.pixels_per_mm_x : picture.metadata.pixels_per_mm_y;
  const size_t pixel = size_t(picture.channels) * (picture.bits / 8);
  uint8_t* out = result.bytes.data();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x, out += pixel) {
      int from_x = swap ? y : x, from_y = swap ? x : y;
      if (flip_x) from_x = picture.width - 1 - from_x;
      if (flip_y) from_y = picture.height - 1 - from_y;
      std::memcpy(out, picture.bytes.data() + (size_t(from_y) * picture.width + from_x) * pixel, pixel);
    }
  }
  return result;
}

}  // namespace fye
