// F(4x4, 3x3) for int8 in whole numbers, exact, over an Ints policy of one vector.
//
// The points 0, 1, -1, 2, -2 and infinity need fractions for the weights alone. Their rows are multiplied by
// 24 (the last by 12), so that transformed squares, at most 100 * 255, and weights, at most 144 * 128, are
// whole numbers of 16 bits. Their sums, in 32 bits, are 24 * 24 = 9 * 64 times those of the direct form,
// modulo 2^32. Multiplying by the inverse of 9 modulo 2^32 leaves 64 times the sum, exactly, if the sum lies
// within 2^25, which winograd_refuses_int8() sees to.
//
// Ints: Vector; of 16 bits widen(), add16(), subtract16(), times4(); of 32 bits add(), subtract(),
// shift_left<>(), shift_right<>(), multiply(); load() and store(); kLanes (of 32 bits); finish<V>(), the
// epilogue.
#pragma once

#include <cstdint>

#include "kernels/conv/winograd-inl.h"

namespace fye {
namespace {

inline constexpr int32_t kInverseOf9 = 0x38e38e39;
static_assert(uint32_t(kInverseOf9) * 9u == 1);

template <class Ints>
void whole_forward(const typename Ints::Vector (&x)[6], typename Ints::Vector (&y)[6]) {
  using Vector = typename Ints::Vector;
  const Vector a = Ints::subtract16(x[4], x[2]), b = Ints::subtract16(x[3], x[1]);
  y[0] = Ints::add16(a, Ints::times4(Ints::subtract16(x[0], x[2])));
  y[5] = Ints::subtract16(Ints::subtract16(x[5], x[3]), Ints::times4(b));
  const Vector even = Ints::subtract16(x[4], Ints::times4(x[2])),
               odd = Ints::subtract16(x[3], Ints::times4(x[1]));
  y[1] = Ints::add16(even, odd);
  y[2] = Ints::subtract16(even, odd);
  const Vector twice = Ints::add16(b, b);
  y[3] = Ints::add16(a, twice);
  y[4] = Ints::subtract16(a, twice);
}

template <class Ints>
void whole_back(const typename Ints::Vector (&m)[6], typename Ints::Vector (&y)[4]) {
  using Vector = typename Ints::Vector;
  const Vector sum_1 = Ints::add(m[1], m[2]), difference_1 = Ints::subtract(m[1], m[2]);
  const Vector sum_2 = Ints::add(m[3], m[4]), difference_2 = Ints::subtract(m[3], m[4]);
  y[0] = Ints::add(m[0], Ints::add(sum_1, sum_2));
  y[1] = Ints::add(difference_1, Ints::add(difference_2, difference_2));
  y[2] = Ints::add(sum_1, Ints::template shift_left<2>(sum_2));
  // Twice the last one, whose weights are multiplied by 12.
  y[3] =
      Ints::add(Ints::add(difference_1, Ints::template shift_left<3>(difference_2)), Ints::add(m[5], m[5]));
}

// Neighbouring squares share two columns.
template <class Ints>
void whole_input(const WinogradInput& in, const WinogradPlanes& to) {
  using Vector = typename Ints::Vector;
  const auto column = [&](ptrdiff_t at, Vector(&down)[6]) {
    Vector x[6];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) x[i] = Ints::widen(in.rows[i] + at);
    whole_forward<Ints>(x, down);
  };
  for (int c = 0; c < in.channels; c += 2 * Ints::kLanes) {
    Vector down[6][6];  // by column
    column(c, down[0]);
    column(c + in.pixel, down[1]);
    std::byte* out = to.data + c * 2;
    for (int t = 0; t < in.tiles; ++t, out += to.tile) {
      for (int j = 2; j < 6; ++j) column(c + (4 * t + j) * in.pixel, down[j]);
      for (int i = 0; i < 6; ++i) {
        Vector x[6], y[6];
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) x[j] = down[j][i];
        whole_forward<Ints>(x, y);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) Ints::store(out + (i * 6 + j) * to.plane, y[j]);
        down[0][i] = x[4];
        down[1][i] = x[5];
      }
    }
  }
}

// For winograd_output().
template <class Ints>
struct WinogradWhole : Ints {
  using Vector = typename Ints::Vector;

  static void tile(const std::byte* sums, ptrdiff_t plane, const DirectEpilogue& e, int slot,
                   Vector (&acc)[4][4]) {
    Vector down[4][6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      Vector m[6], y[4];
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) m[i] = Ints::load(sums + (i * 6 + j) * plane);
      whole_back<Ints>(m, y);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) down[i][j] = y[i];
    }
    const Vector start =
        Ints::load(reinterpret_cast<const std::byte*>(static_cast<const int32_t*>(e.start) + slot));
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      whole_back<Ints>(down[i], acc[i]);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        acc[i][j] = Ints::add(Ints::template shift_right<6>(Ints::multiply(acc[i][j], kInverseOf9)), start);
    }
  }
};

}  // namespace
}  // namespace fye
