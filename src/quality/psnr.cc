#include "quality/psnr.h"

#include <cmath>
#include <limits>

#include "image/colour.h"

namespace fye {
namespace {

// `squares` is the sum of squared differences over `count` samples of 0..255.
Score from_squares(double squares, double count) {
  if (squares == 0) return {std::numeric_limits<double>::infinity(), true};
  return {10 * std::log10(255.0 * 255.0 * count / squares), false};
}

double sample(const Picture& picture, size_t pixel, int colour) {
  const size_t at = pixel * picture.channels + (picture.channels >= 3 ? colour : 0);
  return picture.bits == 16 ? picture.u16()[at] / 257.0 : picture.u8()[at];
}

}  // namespace

Result<Score> psnr_y(const Picture& a, const Picture& b, int shave) {
  if (auto ok = check_pair(a, b, shave, 1); !ok) return ok.error();
  const Plane left = luma(shaved(a, shave)), right = luma(shaved(b, shave));
  double squares = 0;
  for (size_t i = 0; i < left.values.size(); ++i) {
    const double difference = left.values[i] - right.values[i];
    squares += difference * difference;
  }
  return from_squares(squares, double(left.values.size()));
}

Result<Score> psnr_rgb(const Picture& a, const Picture& b, int shave) {
  if (auto ok = check_pair(a, b, shave, 1); !ok) return ok.error();
  const Picture left = shaved(a, shave), right = shaved(b, shave);
  const size_t pixels = size_t(left.width) * left.height;
  double squares = 0;
  for (size_t i = 0; i < pixels; ++i) {
    for (int colour = 0; colour < 3; ++colour) {
      const double difference = sample(left, i, colour) - sample(right, i, colour);
      squares += difference * difference;
    }
  }
  return from_squares(squares, 3.0 * double(pixels));
}

}  // namespace fye
