#include "quality/ms_ssim.h"

#include <algorithm>
#include <cmath>

#include "image/colour.h"
#include "quality/ssim.h"

namespace fye {
namespace {

constexpr double kWeights[] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};  // from the paper, section 3.2

Plane halved(const Plane& plane) {
  Plane half((plane.width + 1) / 2, (plane.height + 1) / 2);
  for (int y = 0; y < half.height; ++y) {
    const int top = 2 * y, bottom = std::min(top + 1, plane.height - 1);
    for (int x = 0; x < half.width; ++x) {
      const int left = 2 * x, right = std::min(left + 1, plane.width - 1);
      half.at(y, x) =
          (plane.at(top, left) + plane.at(top, right) + plane.at(bottom, left) + plane.at(bottom, right)) / 4;
    }
  }
  return half;
}

}  // namespace

double ms_ssim(const Plane& a, const Plane& b) {
  Plane left = a, right = b;
  double product = 1;
  for (size_t scale = 0; scale < std::size(kWeights); ++scale) {
    if (scale > 0) {
      left = halved(left);
      right = halved(right);
    }
    const SsimMeans means = mean_ssim(left, right);
    const double factor = scale + 1 < std::size(kWeights) ? means.structure : means.ssim;
    product *= std::pow(std::max(factor, 0.0), kWeights[scale]);
  }
  return product;
}

Result<Score> ms_ssim(const Picture& a, const Picture& b, int shave) {
  if (auto ok = check_pair(a, b, shave, kMsSsimLeast); !ok) return ok.error();
  const Plane left = grey(shaved(a, shave)), right = grey(shaved(b, shave));
  return Score{ms_ssim(left, right), left.values == right.values};
}

}  // namespace fye
