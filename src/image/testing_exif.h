// A small EXIF block and a reader for it, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fye::testing {

// In place of a tag: the link from IFD0 to the thumbnail's directory.
inline constexpr int kNextDirectory = -1;

inline std::string exif_put(int64_t value, int size, bool little) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * (little ? i : size - 1 - i));
  return bytes;
}

// Make "a camera", Orientation, Exif IFD with PixelXDimension and PixelYDimension (SHORT), and a link to an
// IFD1 that holds nothing.
inline std::string exif_block(int orientation, int width, int height, bool little) {
  constexpr int kIfd0 = 8, kExif = kIfd0 + 2 + 3 * 12 + 4, kIfd1 = kExif + 2 + 2 * 12 + 4,
                kMake = kIfd1 + 2 + 4;
  const auto put = [little](int64_t value, int size) { return exif_put(value, size, little); };
  const auto entry = [&](int tag, int type, int64_t count, int64_t value) {
    const bool is_short = type == 3;
    return put(tag, 2) + put(type, 2) + put(count, 4) + put(value, is_short ? 2 : 4) +
           std::string(is_short ? 2 : 0, '\0');
  };
  std::string block = little ? std::string("II*\0", 4) : std::string("MM\0*", 4);
  block += put(kIfd0, 4);
  block +=
      put(3, 2) + entry(0x010f, 2, 9, kMake) + entry(0x0112, 3, 1, orientation) + entry(0x8769, 4, 1, kExif);
  block += put(kIfd1, 4);
  block += put(2, 2) + entry(0xA002, 3, 1, width) + entry(0xA003, 3, 1, height) + put(0, 4);
  block += put(0, 2) + put(0, 4);
  block += std::string("a camera\0\0", 10);
  return block;
}

// The value of a tag in IFD0 or the Exif IFD of a block made by exif_block; -1 if it isn't there.
inline int64_t exif_number(std::string_view block, int tag) {
  const bool little = block.substr(0, 2) == "II";
  const auto get = [&](size_t at, int size) {
    int64_t value = 0;
    for (int i = 0; i < size; ++i)
      value |= int64_t(uint8_t(block.at(at + i))) << 8 * (little ? i : size - 1 - i);
    return value;
  };
  size_t directory = static_cast<size_t>(get(4, 4));
  for (int pass = 0; pass < 2; ++pass) {
    size_t next = 0;
    const int64_t entries = get(directory, 2);
    if (tag == kNextDirectory) return get(directory + 2 + 12 * entries, 4);
    for (int64_t i = 0; i < entries; ++i) {
      const size_t at = directory + 2 + 12 * i;
      if (get(at, 2) == tag) return get(at + 8, get(at + 2, 2) == 3 ? 2 : 4);
      if (get(at, 2) == 0x8769) next = static_cast<size_t>(get(at + 8, 4));
    }
    if (next == 0) return -1;
    directory = next;
  }
  return -1;
}

}  // namespace fye::testing
