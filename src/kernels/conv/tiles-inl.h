// Direct convolution on AMX tiles, int8 and bf16, over a Tile policy: the real instructions, or a software
// model of them.
//
// A block is 32 pixels x 32 output channels: two A tiles (16 pixels x 64 bytes of a kernel row, loaded
// straight from the map, whose pixel pitch is the row stride), two B tiles (16 groups x 16 output channels of
// packed weights) and four accumulators, so that 4 tile loads feed 4 tile products. A kernel row's groups are
// padded to whole tiles with zero weights (pack.h). The epilogue of a block runs between the products of the
// next and their store, where the two can overlap. A row's last block starts earlier and recomputes pixels;
// rows under 16 pixels use tiles of fewer rows.
//
// Tile: configure(rows), release(), zero<T>(), load<T>(), store<T>(), and the dot product is Dot's
// multiply<Tile, C, A, B>().
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct.h"

namespace fye {
namespace {

inline constexpr int kTileRows = 16, kTileBytes = 64, kTileSize = kTileRows * kTileBytes;

// Copies `rows` rows, `stride` apart, of `bytes` bytes each into a tile's form with zeros after them.
inline void clean_tile(const std::byte* from, ptrdiff_t stride, int rows, int bytes, std::byte* to) {
  const __mmask64 mask = (1ull << bytes) - 1;
  for (int r = 0; r < rows; ++r)
    _mm512_store_si512(to + r * kTileBytes, _mm512_maskz_loadu_epi8(mask, from + r * stride));
}

// Pixels [x, x + 16 M) into tiles 0 (m0 v0), 1 (m0 v1), 2 (m1 v0), 3 (m1 v1).
template <class Tile, class Dot, int M, int V>
void multiply_block(const DirectRow& row, const DirectBlock& block, int rows, int x) {
  Tile::template zero<0>();
  if constexpr (V == 2) Tile::template zero<1>();
  if constexpr (M == 2) Tile::template zero<2>();
  if constexpr (M == 2 && V == 2) Tile::template zero<3>();
  const int steps = (row.groups * 4 + kTileBytes - 1) / kTileBytes;
  const int tail = row.groups * 4 - (steps - 1) * kTileBytes;
  const int last_pixel = x + (M - 1) * kTileRows + rows - 1;
  // Bytes past a kernel row meet zero weights; only past the map may they be NaN.
  const bool clean =
      Dot::kHasNan && tail < kTileBytes && (row.width - 1 - last_pixel) * row.in_pixel < kTileBytes;
  alignas(64) std::byte cleaned[2][kTileSize];
  const std::byte* weights = block.weights;
  const std::byte* first = row.in + block.in_offset + x * row.in_pixel;
  for (int ky = 0; ky < row.kernel_h; ++ky, first += row.in_row)
    for (int step = 0; step < steps; ++step, weights += V * kTileSize) {
      const std::byte* in[2] = {first + step * kTileBytes,
                                first + step * kTileBytes + kTileRows * row.in_pixel};
      ptrdiff_t stride = row.in_pixel;
      if (clean && step == steps - 1) {
        for (int m = 0; m < M; ++m) {
          clean_tile(in[m], stride, rows, tail, cleaned[m]);
          in[m] = cleaned[m];
        }
        stride = kTileBytes;
      }
      Tile::template load<6>(weights, V * kTileBytes);
      Tile::template load<4>(in[0], stride);
      Dot::template multiply<Tile, 0, 4, 6>();
      if constexpr (V == 2) {
        Tile::template load<7>(weights + kTileBytes, V * kTileBytes);
        Dot::template multiply<Tile, 1, 4, 7>();
      }
      if constexpr (M == 2) {
        Tile::template load<5>(in[1], stride);
        Dot::template multiply<Tile, 2, 5, 6>();
        if constexpr (V == 2) Dot::template multiply<Tile, 3, 5, 7>();
      }
    }
}

// A computed block that waits for its epilogue: pixels [x + skip, x + count), sums as [pixel / 16][V][pixel %
// 16][16].
struct Waiting {
  const std::byte* sums = nullptr;
  int x = 0, skip = 0, count = 0;
};

template <class Dot, int V>
void finish_block(const Waiting& w, const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  if (w.count <= w.skip) return;
  const auto sum = [&](int p, int v) {
    const int pixel = p + w.skip;
    const std::byte* at = w.sums + (pixel / kTileRows * V + v) * kTileSize + pixel % kTileRows * kTileBytes;
    return Dot::plus(Dot::load(at), Dot::start(e, block.slot + v * 16));
  };
  Dot::template finish<V>(sum, w.count - w.skip, row, block, e, w.x + w.skip);
}

template <class Tile, class Dot, int V>
void tiles_row_of(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  alignas(64) std::byte sums[2][2 * V * kTileSize];
  const int rows = row.width < kTileRows ? row.width : kTileRows;
  Waiting waiting;
  int turn = 0;
  for (int done = 0; done < row.width; turn ^= 1) {
    const bool two = row.width - done > kTileRows && row.width >= 2 * kTileRows;
    const int pixels = two ? 2 * kTileRows : rows;
    const int x = done + pixels <= row.width ? done : row.width - pixels;
    if (two)
      multiply_block<Tile, Dot, 2, V>(row, block, rows, x);
    else
      multiply_block<Tile, Dot, 1, V>(row, block, rows, x);
    finish_block<Dot, V>(waiting, row, block, e);
    std::byte* to = sums[turn];
    Tile::template store<0>(to);
    if constexpr (V == 2) Tile::template store<1>(to + kTileSize);
    if (two) {
      Tile::template store<2>(to + V * kTileSize);
      if constexpr (V == 2) Tile::template store<3>(to + 3 * kTileSize);
    }
    waiting = {to, x, done - x, pixels};
    done = x + pixels;
  }
  finish_block<Dot, V>(waiting, row, block, e);
}

template <class Tile, class Dot>
void tiles_row(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  if (block.vectors == 2)
    tiles_row_of<Tile, Dot, 2>(row, block, e);
  else
    tiles_row_of<Tile, Dot, 1>(row, block, e);
}

template <class Tile>
void enter_tiles(int width) {
  Tile::configure(width < kTileRows ? width : kTileRows);
}
template <class Tile>
void leave_tiles() {
  Tile::release();
}

}  // namespace
}  // namespace fye
