// Convolutions with few output channels, where a vector of output channels would be mostly empty: the vector
// runs along the input instead, over the contiguous groups of a kernel row, and is summed at the end, always
// in the same order.
//
// Dot, besides what direct-inl.h needs: inputs(), first_inputs(), zero(), dot(), sum4() (the sums of four
// vectors, as the first four lanes of one), lanes() (lanes [first, first + count) of that, moved to the
// front), plus().
#pragma once

#include "kernels/conv/direct-inl.h"

namespace fye {
namespace {

template <class Dot, int O, int P>
void narrow_pixels(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e, int x) {
  using Vector = typename Dot::Vector;
  constexpr int kBytes = sizeof(Vector), kAll = (P * O + 3) / 4 * 4;
  const int vectors = (row.groups + Dot::kLanes - 1) / Dot::kLanes;
  const int tail = row.groups - (vectors - 1) * Dot::kLanes;
  const std::byte* origin = row.in + block.in_offset + x * row.in_pixel;
  Vector acc[kAll];
#pragma GCC unroll 32
  for (int i = 0; i < kAll; ++i) acc[i] = Dot::zero();
  const std::byte* weights = block.weights;
  for (int ky = 0; ky < row.kernel_h; ++ky) {
    Pixels<P> in(origin + ky * row.in_row, row.in_pixel);
    const auto add = [&](auto load) {
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) {
        const Vector inputs = load(in[p]);
#pragma GCC unroll 4
        for (int o = 0; o < O; ++o) acc[p * O + o] = Dot::dot(acc[p * O + o], inputs, weights + o * kBytes);
      }
      in.advance(kBytes);
      weights += O * kBytes;
    };
    for (int i = 0; i < vectors - 1; ++i) add([](const std::byte* p) { return Dot::inputs(p); });
    add([tail](const std::byte* p) { return Dot::first_inputs(p, tail); });
  }
  if constexpr (Dot::kHasRest) {
#pragma GCC unroll 4
    for (int o = 0; o < O; ++o) {
      const ptrdiff_t* offset = row.rest_offsets + block.rest_first[o];
      const std::byte* rest = block.rest_weights[o];
      for (int i = 0; i < block.rest_count[o]; ++i, rest += kBytes) {
        const Pixels<P> in(origin + offset[i], row.in_pixel);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) acc[p * O + o] = Dot::rest(acc[p * O + o], Dot::inputs(in[p]), rest);
      }
    }
  }
  const Vector start = Dot::start(e, block.slot);
  alignas(64) Vector finished[P];
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p) {
    // Pixel p's sums may straddle two groups of four; O = 3 is summed pixel by pixel.
    if constexpr (O == 3) {
      finished[p] = Dot::sum4(acc[p * 3], acc[p * 3 + 1], acc[p * 3 + 2], Dot::zero());
    } else {
      const int from = p * O / 4 * 4;
      finished[p] = Dot::lanes(Dot::sum4(acc[from], acc[from + 1], acc[from + 2], acc[from + 3]), p * O % 4);
    }
    finished[p] = Dot::plus(finished[p], start);
  }
  Dot::template finish<1>(finished, P, row, block, e, x);
}

template <class Dot, int O>
void narrow_row_of(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  constexpr int kMost = Dot::kPixels == kPixels32 ? (O <= 2 ? 8 : 4) : (O == 1 ? 8 : 4 / ((O + 1) / 2));
  int x = 0;
  for (; x + kMost <= row.width; x += kMost) narrow_pixels<Dot, O, kMost>(row, block, e, x);
  for (; x < row.width; ++x) narrow_pixels<Dot, O, 1>(row, block, e, x);
}

// block.channels is 1 to kMaxNarrow; row.runs is 1.
template <class Dot>
void narrow_row(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  switch (block.channels) {
    case 1:
      return narrow_row_of<Dot, 1>(row, block, e);
    case 2:
      return narrow_row_of<Dot, 2>(row, block, e);
    case 3:
      return narrow_row_of<Dot, 3>(row, block, e);
    default:
      return narrow_row_of<Dot, 4>(row, block, e);
  }
}

}  // namespace
}  // namespace fye
