// The epilogue of the float kernels - slope, clamp, residual, store - over a Float policy of one vector.
//
// Float: Vector, kLanes, kElement (bytes of a stored element), set(), load(), max(), min(), add(),
// scale_negative(), residual(), first_lanes(), store(), store_part().
#pragma once

#include <cmath>

#include "kernels/conv/direct.h"

namespace fye {
namespace {

// clamp() keeps NaN: max and min return their second operand when either is NaN.
template <class Float>
typename Float::Vector clamp_keeping_nan(typename Float::Vector y, float lo, float hi) {
  return Float::min(Float::set(hi), Float::max(Float::set(lo), y));
}

// kPlain: at most bounds between the sums and the map.
template <class Float, int V, bool kPlain, class Acc>
void finish_float_pixels(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                         const DirectEpilogue e, int x) {
  const bool act_bounds = !std::isinf(e.lo) || !std::isinf(e.hi);
  const bool post_bounds = !std::isinf(e.post_lo) || !std::isinf(e.post_hi);
  const int stored = block.channels + (block.last ? row.gap : 0);
  for (int p = 0; p < pixels; ++p) {
    std::byte* out = row.out + (x + p) * row.out_pixel + block.first * Float::kElement;
    const std::byte* residual = row.residual + (x + p) * row.residual_pixel;
    const bool whole = row.spill && x + p + 1 < row.width;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int slot = block.slot + v * Float::kLanes;
      typename Float::Vector y = acc(p, v);
      if constexpr (kPlain) {
        y = clamp_keeping_nan<Float>(y, e.lo, e.hi);
      } else {
        if (e.slope) y = Float::scale_negative(y, Float::load(e.slope + slot));
        if (act_bounds) y = clamp_keeping_nan<Float>(y, e.lo, e.hi);
        if (e.residual != ResidualKind::none)
          y = Float::add(y, Float::residual(e, residual, block.first + v * Float::kLanes, slot));
        if (e.post_slope) y = Float::scale_negative(y, Float::load(e.post_slope + slot));
        if (post_bounds) y = clamp_keeping_nan<Float>(y, e.post_lo, e.post_hi);
        if (v == V - 1 && row.gap > 0 && block.last)
          y = Float::first_lanes(y, block.channels - v * Float::kLanes);
      }
      std::byte* to = out + v * Float::kLanes * Float::kElement;
      const int left = stored - v * Float::kLanes;
      if (left >= Float::kLanes || whole)
        Float::store(to, y);
      else
        Float::store_part(to, y, left);
    }
  }
}

// Pixels [x, x + pixels) of the row; acc(p, v): the sums of pixel x + p, vector v. The structs are copies so
// that stores to the map can't be taken for changes of them.
template <class Float, int V, class Acc>
void finish_float(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                  const DirectEpilogue& e, int x) {
  const bool plain = !e.slope && e.residual == ResidualKind::none && !e.post_slope && std::isinf(e.post_lo) &&
                     std::isinf(e.post_hi) && row.gap == 0;
  if (plain)
    finish_float_pixels<Float, V, true>(acc, pixels, row, block, e, x);
  else
    finish_float_pixels<Float, V, false>(acc, pixels, row, block, e, x);
}

}  // namespace
}  // namespace fye
