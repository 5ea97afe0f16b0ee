// What Winograd kernels of every format share: products stored as they are, and the walk over tiles on the
// way out.
//
// Form: Vector, kLanes, tile() (one tile's accumulators of a vector of channels, by row and column)
// and finish<V>() (the epilogue of the direct kernels).
#pragma once

#include <cstddef>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/winograd.h"

namespace fye {
namespace {

// A dot product of direct-inl.h whose accumulators start at zero and are stored as they are, at their slots.
template <class Dot>
struct Sums : Dot {
  static typename Dot::Vector start(const DirectEpilogue&, int) { return Dot::zero(); }
  template <int V>
  static void finish(const typename Dot::Vector* acc, int pixels, const DirectRow& row,
                     const DirectBlock& block, const DirectEpilogue&, int x) {
    std::byte* out = row.out + x * row.out_pixel + block.slot * 4;
#pragma GCC unroll 12
    for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        __builtin_memcpy(out + p * row.out_pixel + v * sizeof(typename Dot::Vector), &acc[p * V + v],
                         sizeof(typename Dot::Vector));
  }
};

template <class Form, int V>
void winograd_output_of(const WinogradOutput& out, const WinogradPlanes& from, const DirectBlock& block,
                        const DirectEpilogue& e) {
  constexpr int kTile = kWinogradTile;
  for (int t = 0; t < out.tiles; ++t) {
    typename Form::Vector y[V][kTile][kTile];
    const std::byte* sums = from.data + t * from.tile + block.slot * 4;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      Form::tile(sums + v * sizeof(typename Form::Vector), from.plane, e, block.slot + v * Form::kLanes,
                 y[v]);
    const int left = out.x + kTile * t, skip = left < 0 ? -left : 0;
    const int end = out.row.width - left < kTile ? out.row.width - left : kTile;
    DirectRow row = out.row;
    row.out += out.first_row * out.out_row;
    row.residual += out.first_row * out.residual_row;
    for (int i = out.first_row; i < out.end_row; ++i) {
      Form::template finish<V>([&](int p, int v) { return y[v][i][p + skip]; }, end - skip, row, block, e,
                               left + skip);
      row.out += out.out_row;
      row.residual += out.residual_row;
    }
  }
}

template <class Form>
void winograd_output(const WinogradOutput& out, const WinogradPlanes& from, const DirectBlock& block,
                     const DirectEpilogue& e) {
  switch (block.vectors) {
    case 1:
      return winograd_output_of<Form, 1>(out, from, block, e);
    case 2:
      return winograd_output_of<Form, 2>(out, from, block, e);
    case 3:
      return winograd_output_of<Form, 3>(out, from, block, e);
    default:
      return winograd_output_of<Form, 4>(out, from, block, e);
  }
}

}  // namespace
}  // namespace fye
