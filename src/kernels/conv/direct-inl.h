// The loop of every direct kernel; included once by each instruction set's file, after its Dot policies.
//
// Dot: Vector (accumulators of one vector of output channels), kLanes, kPixels, start(), step<P, V>(acc,
// inputs, weights) (one group of P pixels times V vectors), finish<V>() and, where kHasRest, rest() and
// broadcast().
#pragma once

#include "kernels/conv/direct.h"

namespace fye {
namespace {

// Output pixels that share one pass over the weights, for 1 to 4 vectors of output channels: as many as leave
// registers for the weights of a group, one broadcast and a temporary. 12 accumulators hide every dot
// product's latency (at most 6 cycles, at most 2 a cycle).
inline constexpr int kPixels16[] = {0, 12, 6, 4, 3};   // 16 registers
inline constexpr int kPixels32[] = {0, 12, 12, 9, 6};  // 32 registers

// A group as one 32-bit value, at any address.
template <class T>
T group_at(const std::byte* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

// Addresses of P pixels `stride` apart from few registers.
template <int P>
struct Pixels {
  const std::byte* base[(P + 3) / 4];
  ptrdiff_t stride, stride3;

  Pixels(const std::byte* first, ptrdiff_t s) : stride(s), stride3(3 * s) {
#pragma GCC unroll 4
    for (int i = 0; i < (P + 3) / 4; ++i) base[i] = first + 4 * i * s;
  }
  const std::byte* operator[](int p) const {
    const std::byte* b = base[p / 4];
    return p % 4 == 0 ? b : p % 4 == 1 ? b + stride : p % 4 == 2 ? b + 2 * stride : b + stride3;
  }
  void advance(int bytes) {
#pragma GCC unroll 4
    for (int i = 0; i < (P + 3) / 4; ++i) base[i] += bytes;
  }
};

// Pixels [x, x + P) of the row, every kernel tap, in the same order for every P.
template <class Dot, int P, int V>
void block_of_pixels(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e, int x) {
  typename Dot::Vector acc[P][V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    const typename Dot::Vector first = Dot::start(e, block.slot + v * Dot::kLanes);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) acc[p][v] = first;
  }
  const std::byte* weights = block.weights;
  const std::byte* first = row.in + block.in_offset + x * row.in_pixel;
  for (int ky = 0; ky < row.kernel_h; ++ky, first += row.in_row)
    for (int run = 0; run < row.runs; ++run) {
      Pixels<P> in(first + run * row.in_tap, row.in_pixel);
#pragma GCC unroll 2
      for (int g = 0; g < row.groups; ++g) {
        Dot::template step<P, V>(acc, in, weights);
        in.advance(4);
        weights += V * sizeof(typename Dot::Vector);
      }
    }
  if constexpr (Dot::kHasRest) {
    const std::byte* origin = row.in + block.in_offset + x * row.in_pixel;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const ptrdiff_t* offset = row.rest_offsets + block.rest_first[v];
      const std::byte* rest = block.rest_weights[v];
      for (int i = 0; i < block.rest_count[v]; ++i, rest += sizeof(typename Dot::Vector)) {
        const Pixels<P> in(origin + offset[i], row.in_pixel);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) acc[p][v] = Dot::rest(acc[p][v], Dot::broadcast(in[p]), rest);
      }
    }
  }
  alignas(64) typename Dot::Vector finished[P * V];
#pragma GCC unroll 12
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) finished[p * V + v] = acc[p][v];
  Dot::template finish<V>(finished, P, row, block, e, x);
}

template <class Dot, int V>
void row_of_vectors(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  constexpr int kMost = Dot::kPixels[V];
  int x = 0;
  for (; x + kMost <= row.width; x += kMost) block_of_pixels<Dot, kMost, V>(row, block, e, x);
  if constexpr (kMost > 8)
    for (; x + 8 <= row.width; x += 8) block_of_pixels<Dot, 8, V>(row, block, e, x);
  if constexpr (kMost > 4)
    for (; x + 4 <= row.width; x += 4) block_of_pixels<Dot, 4, V>(row, block, e, x);
  if constexpr (kMost > 2)
    for (; x + 2 <= row.width; x += 2) block_of_pixels<Dot, 2, V>(row, block, e, x);
  for (; x < row.width; ++x) block_of_pixels<Dot, 1, V>(row, block, e, x);
}

template <class Dot>
void direct_row(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  switch (block.vectors) {
    case 1:
      return row_of_vectors<Dot, 1>(row, block, e);
    case 2:
      return row_of_vectors<Dot, 2>(row, block, e);
    case 3:
      return row_of_vectors<Dot, 3>(row, block, e);
    default:
      return row_of_vectors<Dot, 4>(row, block, e);
  }
}

}  // namespace
}  // namespace fye
