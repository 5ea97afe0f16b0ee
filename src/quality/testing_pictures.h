// Pictures that the tests of this room share.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "image/picture.h"

namespace fye::testing {

inline Picture filled(int width, int height, int channels, int value) {
  Picture picture(width, height, channels);
  std::fill(picture.bytes.begin(), picture.bytes.end(), static_cast<uint8_t>(value));
  return picture;
}

inline Picture noise(int width, int height, int channels, unsigned seed) {
  Picture picture(width, height, channels);
  std::mt19937 random(seed);
  for (uint8_t& byte : picture.bytes) byte = static_cast<uint8_t>(random());
  return picture;
}

// `picture` with +-`amount` added to every sample.
inline Picture disturbed(Picture picture, int amount, unsigned seed) {
  std::mt19937 random(seed);
  for (uint8_t& byte : picture.bytes)
    byte = static_cast<uint8_t>(std::clamp(byte + (random() % 2 ? amount : -amount), 0, 255));
  return picture;
}

// The samples of a picture of one channel.
inline Plane plane_of(const Picture& picture) {
  Plane plane(picture.width, picture.height);
  std::copy(picture.bytes.begin(), picture.bytes.end(), plane.values.begin());
  return plane;
}

// value(y, x) at every sample.
template <class Value>
Plane drawn(int width, int height, Value value) {
  Plane plane(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) plane.at(y, x) = value(y, x);
  }
  return plane;
}

// A file of the project's test data ($FYE_DATA, default ../shared/data beside the repository); it may not
// exist.
inline std::filesystem::path test_data(const char* name) {
  const char* data = std::getenv("FYE_DATA");
  const auto repository = std::filesystem::path(__FILE__).parent_path() / "../..";
  return (data ? std::filesystem::path(data) : repository / "../shared/data") / "test" / name;
}

}  // namespace fye::testing
