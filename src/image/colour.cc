#include "image/colour.h"

#include <cmath>

namespace fye {
namespace {

// 65535 / 255.
constexpr double kDepth16 = 257;

template <class Sample, class Weigh>
void fill(const Sample* pixel, int channels, double divisor, Plane& plane, Weigh weigh) {
  const int green = channels >= 3 ? 1 : 0, blue = channels >= 3 ? 2 : 0;
  for (double& value : plane.values) {
    value = weigh(pixel[0] / divisor, pixel[green] / divisor, pixel[blue] / divisor);
    pixel += channels;
  }
}

template <class Weigh>
Plane weighted(const Picture& picture, Weigh weigh) {
  Plane plane(picture.width, picture.height);
  if (picture.bits == 16) {
    fill(picture.u16(), picture.channels, kDepth16, plane, weigh);
  } else {
    fill(picture.u8(), picture.channels, 1.0, plane, weigh);
  }
  return plane;
}

}  // namespace

Plane luma(const Picture& picture) {
  return weighted(picture, [](double r, double g, double b) {
    return 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
  });
}

Plane grey(const Picture& picture) {
  return weighted(picture, [](double r, double g, double b) {
    return std::nearbyint(0.2989 * r + 0.5870 * g + 0.1140 * b);
  });
}

}  // namespace fye
