#include "cli/side_by_side.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace fye {

Result<Picture> cropped(const Picture& picture, const Crop& crop) {
  const auto [width, height] = crop.size;
  const int left = crop.at ? crop.at->width : (picture.width - width) / 2;
  const int top = crop.at ? crop.at->height : (picture.height - height) / 2;
  if (left < 0 || top < 0 || left > picture.width - width || top > picture.height - height) {
    return bad_input(fmt::format("{}x{}{} does not lie within a picture of {}x{}", width, height,
                                 crop.at ? fmt::format("+{}+{}", left, top) : "", picture.width,
                                 picture.height));
  }
  Picture out(width, height, picture.channels, picture.bits);
  out.metadata = picture.metadata;
  const size_t pixel = size_t(picture.channels) * (picture.bits / 8);
  for (int y = 0; y < height; ++y) {
    std::memcpy(out.bytes.data() + size_t(y) * width * pixel,
                picture.bytes.data() + (size_t(top + y) * picture.width + left) * pixel, width * pixel);
  }
  return out;
}

Picture side_by_side(std::span<const Picture> pictures, int gap) {
  int width = 0, height = 0;
  for (const Picture& picture : pictures) {
    width += picture.width + gap;
    height = std::max(height, picture.height);
  }
  Picture out(std::max(width - gap, 1), std::max(height, 1), 3);
  std::fill(out.bytes.begin(), out.bytes.end(), uint8_t{255});
  int left = 0;
  for (const Picture& picture : pictures) {
    const int colours = picture.channels < 3 ? 1 : 3;
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const size_t from = (size_t(y) * picture.width + x) * picture.channels;
        uint8_t* to = out.u8() + (size_t(y) * out.width + left + x) * 3;
        for (int c = 0; c < 3; ++c) {
          const size_t sample = from + (colours == 3 ? c : 0);
          to[c] = picture.bits == 8 ? picture.u8()[sample]
                                    : static_cast<uint8_t>((picture.u16()[sample] + 128) / 257);
        }
      }
    }
    left += picture.width + gap;
  }
  return out;
}

}  // namespace fye
