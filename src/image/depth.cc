#include "image/depth.h"

namespace fye {

Picture to_8_bit(Picture picture) {
  if (picture.bits == 8) return picture;
  Picture result(picture.width, picture.height, picture.channels);
  const uint16_t* in = picture.u16();
  for (size_t i = 0; i < result.samples(); ++i) result.bytes[i] = static_cast<uint8_t>((in[i] + 128) / 257);
  result.metadata = std::move(picture.metadata);
  return result;
}

}  // namespace fye
