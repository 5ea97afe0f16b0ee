// Picture: interleaved pixels in memory, with what a file said about them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fye {

// Bytes that a file carries beside its pixels and that fye passes on untouched; empty = absent.
struct Metadata {
  std::string icc;   // an ICC profile
  std::string exif;  // a TIFF-structured block ("II*" or "MM*" first, no "Exif" prefix); its Orientation is 1
                     // or absent
  std::string xmp;   // an XML packet
  std::string iptc;  // as the file had it; carried from JPEG to JPEG alone
  double pixels_per_mm_x = 0, pixels_per_mm_y = 0;  // 0 = not stated
  std::vector<std::string> lost;  // a sentence for each thing in the file that reading left behind
};

// Row-major, channels interleaved, no padding between rows. 1 = grey, 2 = grey + alpha, 3 = RGB, 4 = RGB +
// alpha; alpha is not premultiplied. 8 or 16 bits a sample (16: native byte order, 0..65535). Upright:
// orientation has been applied.
struct Picture {
  int width = 0, height = 0, channels = 0, bits = 8;
  std::vector<uint8_t> bytes;
  Metadata metadata;

  Picture() = default;
  Picture(int w, int h, int c, int depth = 8)
      : width(w), height(h), channels(c), bits(depth), bytes(size_t(w) * h * c * (depth / 8)) {}

  size_t samples() const { return size_t(width) * height * channels; }
  bool has_alpha() const { return channels == 2 || channels == 4; }
  uint8_t* u8() { return bytes.data(); }
  const uint8_t* u8() const { return bytes.data(); }
  uint16_t* u16() { return reinterpret_cast<uint16_t*>(bytes.data()); }
  const uint16_t* u16() const { return reinterpret_cast<const uint16_t*>(bytes.data()); }
};

// One channel in floating point, row-major; the range is the user's business (0..255 unless a function says
// otherwise).
struct Plane {
  int width = 0, height = 0;
  std::vector<double> values;

  Plane() = default;
  Plane(int w, int h) : width(w), height(h), values(size_t(w) * h) {}
  double& at(int y, int x) { return values[size_t(y) * width + x]; }
  double at(int y, int x) const { return values[size_t(y) * width + x]; }
};

}  // namespace fye
