#include "learn/estimator_degrade.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "image/file.h"

namespace fye {
namespace {

uint8_t to_level(double value) { return uint8_t(std::clamp(std::nearbyint(value), 0.0, 255.0)); }

// In (0, 1].
double uniform(Random& random) { return double((random.next() >> 11) + 1) * 0x1p-53; }

}  // namespace

Picture with_noise(const Picture& picture, double sigma, Random& random) {
  Picture noisy = picture;
  for (uint8_t& level : noisy.bytes) {
    // Box and Muller 1958.
    const double radius = std::sqrt(-2 * std::log(uniform(random)));
    level = to_level(level + sigma * radius * std::cos(2 * std::numbers::pi * uniform(random)));
  }
  return noisy;
}

Picture blurred(const Picture& picture, double sigma) {
  const int radius = std::max(1, int(std::ceil(3 * sigma)));
  std::vector<double> window;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += window.emplace_back(std::exp(-i * i / (2 * sigma * sigma)));
  const int w = picture.width, h = picture.height, c = picture.channels;
  std::vector<double> across(picture.bytes.size());
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int k = -radius; k <= radius; ++k)
        for (int i = 0; i < c; ++i)
          across[size_t((y * w + x) * c + i)] +=
              window[k + radius] / sum * picture.bytes[size_t((y * w + std::clamp(x + k, 0, w - 1)) * c + i)];
  Picture result = picture;
  std::vector<double> row(size_t(w) * c);
  for (int y = 0; y < h; ++y) {
    std::fill(row.begin(), row.end(), 0.0);
    for (int k = -radius; k <= radius; ++k) {
      const double* from = &across[size_t(std::clamp(y + k, 0, h - 1)) * row.size()];
      for (size_t i = 0; i < row.size(); ++i) row[i] += window[k + radius] / sum * from[i];
    }
    std::transform(row.begin(), row.end(), result.bytes.begin() + ptrdiff_t(size_t(y) * row.size()),
                   to_level);
  }
  return result;
}

Result<Picture> through_jpeg(const Picture& picture, int quality, const std::filesystem::path& scratch) {
  const auto written = write_picture(picture, scratch, {.quality = quality});
  if (!written) return written.error();
  auto result = read_picture(scratch);
  std::error_code ignored;
  std::filesystem::remove(scratch, ignored);
  return result;
}

}  // namespace fye
