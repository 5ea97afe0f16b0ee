// One output row at a time: the 11 input rows are weighted into sums a row long (they stay in cache), then
// each sum is weighted across. Only va + vb enters the formula, so four filtered quantities do: a, b, a^2 +
// b^2, ab. Tested by quality_test.cc and, against scikit-image, by tests/oracle/quality_oracle.py.
#include "quality/ssim.h"

#include <array>
#include <cmath>

#include "image/colour.h"

namespace fye {
namespace {

constexpr double kSigma = 1.5;
constexpr double kC1 = 6.5025;   // (0.01 * 255)^2
constexpr double kC2 = 58.5225;  // (0.03 * 255)^2

using Window = std::array<double, kSsimWindow>;

Window gaussian() {
  Window window;
  double sum = 0;
  for (int i = 0; i < kSsimWindow; ++i) {
    const double x = i - kSsimWindow / 2;
    sum += window[i] = std::exp(-x * x / (2 * kSigma * kSigma));
  }
  for (double& weight : window) weight /= sum;
  return window;
}

struct Sums {
  std::vector<double> a, b, squares, products;
  explicit Sums(int width) : a(width), b(width), squares(width), products(width) {}
};

void weigh_down(const Plane& a, const Plane& b, int top, const Window& window, Sums& sums) {
  for (auto* row : {&sums.a, &sums.b, &sums.squares, &sums.products}) row->assign(row->size(), 0);
  for (int k = 0; k < kSsimWindow; ++k) {
    const double weight = window[k];
    const double* p = &a.values[size_t(top + k) * a.width];
    const double* q = &b.values[size_t(top + k) * b.width];
    for (int x = 0; x < a.width; ++x) {
      const double u = weight * p[x], v = weight * q[x];
      sums.a[x] += u;
      sums.b[x] += v;
      sums.squares[x] += u * p[x] + v * q[x];
      sums.products[x] += u * q[x];
    }
  }
}

void weigh_across(const std::vector<double>& in, const Window& window, std::vector<double>& out) {
  const size_t width = in.size() - kSsimWindow + 1;
  out.assign(width, 0);
  for (int k = 0; k < kSsimWindow; ++k) {
    for (size_t x = 0; x < width; ++x) out[x] += window[k] * in[x + k];
  }
}

Result<Score> ssim(const Picture& a, const Picture& b, int shave, Plane (*convert)(const Picture&)) {
  if (auto ok = check_pair(a, b, shave, kSsimWindow); !ok) return ok.error();
  const Plane left = convert(shaved(a, shave)), right = convert(shaved(b, shave));
  return Score{mean_ssim(left, right).ssim, left.values == right.values};
}

}  // namespace

SsimMeans mean_ssim(const Plane& a, const Plane& b) {
  const Window window = gaussian();
  const int width = a.width - kSsimWindow + 1, height = a.height - kSsimWindow + 1;
  Sums down(a.width), across(width);
  SsimMeans total;
  for (int y = 0; y < height; ++y) {
    weigh_down(a, b, y, window, down);
    weigh_across(down.a, window, across.a);
    weigh_across(down.b, window, across.b);
    weigh_across(down.squares, window, across.squares);
    weigh_across(down.products, window, across.products);
    SsimMeans row;
    for (int x = 0; x < width; ++x) {
      const double u = across.a[x], v = across.b[x];
      const double means = u * u + v * v, product = u * v;
      const double variances = across.squares[x] - means, covariance = across.products[x] - product;
      const double structure = (2 * covariance + kC2) / (variances + kC2);
      row.structure += structure;
      row.ssim += (2 * product + kC1) / (means + kC1) * structure;
    }
    total.ssim += row.ssim;
    total.structure += row.structure;
  }
  const double count = double(width) * height;
  return {total.ssim / count, total.structure / count};
}

Result<Score> ssim_y(const Picture& a, const Picture& b, int shave) { return ssim(a, b, shave, luma); }

Result<Score> ssim_grey(const Picture& a, const Picture& b, int shave) { return ssim(a, b, shave, grey); }

}  // namespace fye
