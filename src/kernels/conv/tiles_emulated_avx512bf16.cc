// Tile convolution on a software model of the AMX instructions (Intel SDM, volume 2, TDPBUSD, TDPBF16PS,
// TILELOADD), so that machines without AMX test the kernel's logic. Never chosen.
#include <cstring>

#include "kernels/conv/tile_dots-inl.h"

namespace fye {
namespace {

struct ModelTile {
  struct Tile {
    int rows = 0;
    alignas(64) std::byte data[kTileSize];
  };
  static thread_local Tile tiles[8];

  static void configure(int rows) {
    for (int t = 0; t < 8; ++t) tiles[t].rows = t < 6 ? rows : kTileRows;
  }
  static void release() {
    for (Tile& tile : tiles) tile.rows = 0;
  }
  template <int T>
  static void zero() {
    std::memset(tiles[T].data, 0, kTileSize);
  }
  template <int T>
  static void load(const std::byte* from, ptrdiff_t stride) {
    for (int r = 0; r < tiles[T].rows; ++r)
      std::memcpy(tiles[T].data + r * kTileBytes, from + r * stride, kTileBytes);
  }
  template <int T>
  static void store(std::byte* to) {
    std::memcpy(to, tiles[T].data, size_t(tiles[T].rows) * kTileBytes);
  }
  template <int C, int A, int B>
  static void dpbusd() {
    auto* c = reinterpret_cast<int32_t*>(tiles[C].data);
    const auto* a = reinterpret_cast<const uint8_t*>(tiles[A].data);
    const auto* b = reinterpret_cast<const int8_t*>(tiles[B].data);
    for (int m = 0; m < tiles[C].rows; ++m)
      for (int k = 0; k < 16; ++k)
        for (int n = 0; n < 16; ++n)
          for (int j = 0; j < 4; ++j) c[m * 16 + n] += a[m * 64 + 4 * k + j] * b[k * 64 + 4 * n + j];
  }
  template <int C, int A, int B>
  static void dpbf16ps() {
    auto* c = reinterpret_cast<__m512*>(tiles[C].data);
    const auto* a = reinterpret_cast<const int*>(tiles[A].data);
    const auto* b = reinterpret_cast<const __m512i*>(tiles[B].data);
    for (int m = 0; m < tiles[C].rows; ++m)
      for (int k = 0; k < 16; ++k)
        c[m] = _mm512_dpbf16_ps(c[m], __m512bh(_mm512_set1_epi32(a[m * 16 + k])), __m512bh(b[k]));
  }
};
thread_local ModelTile::Tile ModelTile::tiles[8];

}  // namespace

const DirectCode kTilesInt8Model = {.name = "tiles-model",
                                    .numbers = Numbers::int8,
                                    .lanes = 16,
                                    .max_vectors = 2,
                                    .row = tiles_row<ModelTile, TileInt8>,
                                    .enter = enter_tiles<ModelTile>,
                                    .leave = leave_tiles<ModelTile>,
                                    .otherwise = &kDirectInt8Avx512};
const DirectCode kTilesBf16Model = {.name = "tiles-model",
                                    .numbers = Numbers::bf16,
                                    .lanes = 16,
                                    .max_vectors = 2,
                                    .row = tiles_row<ModelTile, TileBf16>,
                                    .enter = enter_tiles<ModelTile>,
                                    .leave = leave_tiles<ModelTile>,
                                    .otherwise = &kDirectBf16Avx512};

}  // namespace fye
