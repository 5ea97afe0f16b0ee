#include "image/colour.h"

#include <cmath>

namespace fye {
namespace {

// 65535 / 255.
constexpr double kDepth16 = 257;

template <class Sample, class Weigh>
void fill(const Sample* pixel, int channels, double divisor, size_t pixels, double* values, Weigh weigh) {
  const int green = channels >= 3 ? 1 : 0, blue = channels >= 3 ? 2 : 0;
  for (size_t i = 0; i < pixels; ++i, pixel += channels)
    values[i] = weigh(pixel[0] / divisor, pixel[green] / divisor, pixel[blue] / divisor);
}

template <class Weigh>
void weighted(const uint8_t* samples, int channels, int bits, size_t pixels, double* values, Weigh weigh) {
  if (bits == 16) {
    fill(reinterpret_cast<const uint16_t*>(samples), channels, kDepth16, pixels, values, weigh);
  } else {
    fill(samples, channels, 1.0, pixels, values, weigh);
  }
}

}  // namespace

void luma_of(const uint8_t* samples, int channels, int bits, size_t pixels, double* values) {
  weighted(samples, channels, bits, pixels, values,
           [](double r, double g, double b) { return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255; });
}

Plane luma(const Picture& picture) {
  Plane plane(picture.width, picture.height);
  luma_of(picture.u8(), picture.channels, picture.bits, plane.values.size(), plane.values.data());
  return plane;
}

Plane grey(const Picture& picture) {
  Plane plane(picture.width, picture.height);
  weighted(picture.u8(), picture.channels, picture.bits, plane.values.size(), plane.values.data(),
           [](double r, double g, double b) { return std::nearbyint(0.2989 * r + 0.5870 * g + 0.1140 * b); });
  return plane;
}

}  // namespace fye
