// The transforms of F(4x4, 3x3) in float, over a Float policy of one vector (float_epilogue-inl.h).
//
// The interpolation points are 0, -a, a, -b, b and infinity with a = sqrt(1/2), b = sqrt(2), which round less
// than the usual 0, -1, 1, -2, 2 (Barabasz et al., ACM TOMS 2020, on why points matter; these by
// measurement). For f(x) = (x^2 - a^2)(x^2 - b^2) = x^4 - 5/2 x^2 + 1 the rows of the input transform are the
// coefficients of f, of x f / (x - p) for each p in {a, -a, b, -b}, and of x f; those of the output transform
// the powers of the points.
#pragma once

#include "kernels/conv/float_epilogue-inl.h"
#include "kernels/conv/winograd-inl.h"

namespace fye {
namespace {

inline constexpr float kSqrtHalf = 0.70710678118654752f, kSqrt2 = 1.4142135623730950f;

template <class Float>
void winograd_forward(const typename Float::Vector (&x)[6], typename Float::Vector (&y)[6]) {
  using Vector = typename Float::Vector;
  const auto fma = [](Vector a, float b, Vector c) { return Float::multiply_add(a, Float::set(b), c); };
  y[0] = fma(x[2], -2.5f, Float::add(x[0], x[4]));
  y[5] = fma(x[3], -2.5f, Float::add(x[1], x[5]));
  const Vector even_a = fma(x[2], -2.f, x[4]), odd_a = fma(x[1], -2.f, x[3]);
  const Vector even_b = fma(x[2], -0.5f, x[4]), odd_b = fma(x[1], -0.5f, x[3]);
  y[1] = fma(odd_a, kSqrtHalf, even_a);
  y[2] = fma(odd_a, -kSqrtHalf, even_a);
  y[3] = fma(odd_b, kSqrt2, even_b);
  y[4] = fma(odd_b, -kSqrt2, even_b);
}

template <class Float>
void winograd_back(const typename Float::Vector (&m)[6], typename Float::Vector (&y)[4]) {
  using Vector = typename Float::Vector;
  const auto fma = [](Vector a, float b, Vector c) { return Float::multiply_add(a, Float::set(b), c); };
  const Vector sum_a = Float::add(m[1], m[2]), difference_a = Float::subtract(m[1], m[2]);
  const Vector sum_b = Float::add(m[3], m[4]), difference_b = Float::subtract(m[3], m[4]);
  y[0] = Float::add(m[0], Float::add(sum_a, sum_b));
  y[1] = fma(difference_a, kSqrtHalf, fma(difference_b, kSqrt2, Float::set(0)));
  y[2] = fma(sum_a, 0.5f, fma(sum_b, 2.f, Float::set(0)));
  y[3] = fma(difference_a, kSqrtHalf / 2, fma(difference_b, 2 * kSqrt2, m[5]));
}

// Element: kBytes and load() of a vector of the map's elements.
template <class Float>
struct PlainElement {
  static constexpr ptrdiff_t kBytes = sizeof(float);
  static typename Float::Vector load(const std::byte* p) {
    return Float::load(reinterpret_cast<const float*>(p));
  }
};

template <class Float, class Element = PlainElement<Float>>
void winograd_input(const WinogradInput& in, const WinogradPlanes& to) {
  using Vector = typename Float::Vector;
  for (int t = 0; t < in.tiles; ++t)
    for (int c = 0; c < in.channels; c += Float::kLanes) {
      const ptrdiff_t at = 4 * t * in.pixel + c * Element::kBytes;
      Vector across[6][6];
      for (int i = 0; i < 6; ++i) {
        Vector x[6];
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) x[j] = Element::load(in.rows[i] + at + j * in.pixel);
        winograd_forward<Float>(x, across[i]);
      }
      std::byte* out = to.data + t * to.tile + c * ptrdiff_t(sizeof(float));
      for (int j = 0; j < 6; ++j) {
        Vector x[6], y[6];
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) x[i] = across[i][j];
        winograd_forward<Float>(x, y);
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) Float::store(out + (i * 6 + j) * to.plane, y[i]);
      }
    }
}

// One tile's sums of vector v of the block, with the bias: [row][column].
template <class Float>
void winograd_tile(const std::byte* sums, ptrdiff_t plane, typename Float::Vector bias,
                   typename Float::Vector (&y)[4][4]) {
  using Vector = typename Float::Vector;
  Vector down[4][6];
#pragma GCC unroll 6
  for (int j = 0; j < 6; ++j) {
    Vector m[6], column[4];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i)
      m[i] = Float::load(reinterpret_cast<const float*>(sums + (i * 6 + j) * plane));
    winograd_back<Float>(m, column);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) down[i][j] = column[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    winograd_back<Float>(down[i], y[i]);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) y[i][j] = Float::add(y[i][j], bias);
  }
}

// F(4x4, 3x3) for winograd_output().
template <class Float>
struct WinogradFloat {
  using Vector = typename Float::Vector;
  static constexpr int kLanes = Float::kLanes;

  static void tile(const std::byte* sums, ptrdiff_t plane, const DirectEpilogue& e, int slot,
                   Vector (&y)[4][4]) {
    winograd_tile<Float>(sums, plane, Float::load(static_cast<const float*>(e.start) + slot), y);
  }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Float, V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
