// Blocks lie half a block off the codec's grid, so that each straddles a corner of it. Constants are those of
// the authors' two programs; where the paper differs (c = 1e-8), their published thresholds came out of the
// programs. Tested by quality/iqam_test.cc.
#include "quality/iqam.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "image/colour.h"

namespace fye {
namespace {

constexpr double kSmall = 1e-5;  // c
constexpr double kTextured =
    0.004;                      // sum of squared moments without the mean's, above which a block is textured
constexpr double kClip = 0.05;  // T_e
constexpr double kSmoothPower = 0.9, kTexturedPower = 0.1;  // alpha, beta
constexpr double kBlurSigma = 5;                            // of a 3 x 3 window: nearly a box

template <int B>
using Matrix = std::array<std::array<double, B>, B>;

// Row p is the orthonormal Tchebichef polynomial of order p at 0 .. B - 1, by recursion over the order.
template <int B>
Matrix<B> tchebichef() {
  Matrix<B> basis;
  for (int p = 0; p < B; ++p) {
    for (int x = 0; x < B; ++x) {
      const double first = (1 - B + 2 * x) / double(B);
      if (p < 2) {
        basis[p][x] = p == 0 ? 1 : first;
      } else {
        const double shrink = 1 - (p - 1) * (p - 1) / double(B * B);
        basis[p][x] = ((2 * p - 1) * first * basis[p - 1][x] - (p - 1) * shrink * basis[p - 2][x]) / p;
      }
    }
  }
  for (int p = 0; p < B; ++p) {
    double norm = B / (2.0 * p + 1);
    for (int q = 1; q <= p; ++q) norm *= 1 - q * q / double(B * B);
    for (double& value : basis[p]) value /= std::sqrt(norm);
  }
  return basis;
}

// P u P' of the block brought to length 1 and mean 0; false for a black block, which has no length.
template <int B>
bool moments(const Matrix<B>& block, const Matrix<B>& basis, Matrix<B>& out) {
  double squares = 0, sum = 0;
  for (const auto& row : block) {
    for (const double value : row) {
      squares += value * value;
      sum += value;
    }
  }
  if (squares == 0) return false;
  const double length = std::sqrt(squares), mean = sum / length / (B * B);
  Matrix<B> half{};
  for (int p = 0; p < B; ++p) {
    for (int y = 0; y < B; ++y) {
      for (int x = 0; x < B; ++x) half[p][x] += basis[p][y] * (block[y][x] / length - mean);
    }
  }
  for (int p = 0; p < B; ++p) {
    for (int q = 0; q < B; ++q) {
      double total = 0;
      for (int x = 0; x < B; ++x) total += half[p][x] * basis[q][x];
      out[p][q] = total;
    }
  }
  return true;
}

// Zeros around the block.
template <int B>
Matrix<B> blurred(const Matrix<B>& block) {
  const double near = std::exp(-1 / (2 * kBlurSigma * kBlurSigma)), total = 1 + 2 * near;
  const double weight[3] = {near / total, 1 / total, near / total};
  const auto across = [&](auto at, int i) {
    double sum = 0;
    for (int k = -1; k <= 1; ++k) {
      if (i + k >= 0 && i + k < B) sum += weight[k + 1] * at(i + k);
    }
    return sum;
  };
  Matrix<B> down, out;
  for (int y = 0; y < B; ++y) {
    for (int x = 0; x < B; ++x) down[y][x] = across([&](int i) { return block[i][x]; }, y);
  }
  for (int y = 0; y < B; ++y) {
    for (int x = 0; x < B; ++x) out[y][x] = across([&](int i) { return down[y][i]; }, x);
  }
  return out;
}

// The share of the highest order in each direction, clipped; 1 where detail is left, 0 where there is none.
template <int B>
double smooth_quality(const Matrix<B>& m) {
  double all = kSmall - std::abs(m[0][0]), rows = 0, columns = 0;
  for (int p = 0; p < B; ++p) {
    for (int q = 0; q < B; ++q) all += std::abs(m[p][q]);
    rows += std::abs(m[B - 1][p]);
    columns += std::abs(m[p][B - 1]);
  }
  const double mean = (std::min(rows / all, kClip) + std::min(columns / all, kClip)) / 2;
  return std::log(1 - mean) / std::log(1 - kClip);
}

// What a blur changes: little if the block was blurred already.
template <int B>
double textured_quality(const Matrix<B>& m, const Matrix<B>& after) {
  double similarity = 0;
  for (int p = 0; p < B; ++p) {
    for (int q = 0; q < B; ++q) {
      const double u = m[p][q], v = after[p][q];
      similarity += (2 * u * v + kSmall) / (u * u + v * v + kSmall);
    }
  }
  return 1 - similarity / (B * B);
}

struct Mean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count ? sum / double(count) : 1; }  // an empty class counts as perfect
};

template <int B>
double iqam_of(const Plane& grey) {
  const Matrix<B> basis = tchebichef<B>();
  Mean smooth, textured;
  Matrix<B> block, m, after;
  for (int row = 0; row + 1 < grey.height / B; ++row) {
    for (int column = 0; column + 1 < grey.width / B; ++column) {
      for (int y = 0; y < B; ++y) {
        for (int x = 0; x < B; ++x) block[y][x] = grey.at(row * B + B / 2 + y, column * B + B / 2 + x) / 255;
      }
      if (!moments<B>(block, basis, m)) {
        smooth.add(1);  // as the authors' later program
        continue;
      }
      double energy = -m[0][0] * m[0][0];
      for (const auto& line : m) {
        for (const double value : line) energy += value * value;
      }
      if (energy <= kTextured) {
        smooth.add(smooth_quality<B>(m));
      } else {
        moments<B>(blurred<B>(block), basis, after);  // not black: a blur of it isn't either
        textured.add(textured_quality<B>(m, after));
      }
    }
  }
  return std::pow(smooth.value(), kSmoothPower) * std::pow(textured.value(), kTexturedPower);
}

Result<Score> score_of(const Picture& picture, int block, int shave, double (*measure)(const Plane&, int)) {
  if (auto ok = check_shave(picture, shave, 1); !ok) return ok.error();
  const int on_grid = (shave + block - 1) / block * block;
  if (auto ok = check_shave(picture, on_grid, 2 * block); !ok) return ok.error();
  return Score{measure(grey(shaved(picture, on_grid)), block), false};
}

}  // namespace

double iqam(const Plane& grey, int block) {
  assert(block == 4 || block == 8);
  return block == 4 ? iqam_of<4>(grey) : iqam_of<8>(grey);
}

double boundary_step(const Plane& grey, int block) {
  double across = 0, inside = 0;
  int64_t across_count = 0, inside_count = 0;
  const auto add = [&](double step, int at) {
    const bool on_line = at % block == 0;
    (on_line ? across : inside) += std::abs(step);
    ++(on_line ? across_count : inside_count);
  };
  for (int y = 0; y < grey.height; ++y) {
    for (int x = 1; x < grey.width; ++x) add(grey.at(y, x) - grey.at(y, x - 1), x);
  }
  for (int y = 1; y < grey.height; ++y) {
    for (int x = 0; x < grey.width; ++x) add(grey.at(y, x) - grey.at(y - 1, x), y);
  }
  return across / double(across_count) - inside / double(inside_count);
}

Result<Score> iqam(const Picture& picture, int block, int shave) {
  return score_of(picture, block, shave, iqam);
}

Result<Score> boundary_step(const Picture& picture, int block, int shave) {
  return score_of(picture, block, shave, boundary_step);
}

}  // namespace fye
