// Tile convolution with the real AMX instructions. Written on a machine without AMX: the logic is held by the
// software model (tiles_emulated_avx512bf16.cc) in conv_test.cc; on an AMX machine the same test runs these.
#include <immintrin.h>

#include "kernels/conv/tile_dots-inl.h"

namespace fye {
namespace {

struct AmxTile {
  // Accumulators and A tiles (0 to 5) have `rows` rows; palette 1 (Intel SDM, volume 1, section 18.2).
  static void configure(int rows) {
    struct {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {0, 0, 0, 0, 0, 0, 16, 16};
    } config;
    for (int t = 0; t < 6; ++t) config.rows[t] = uint8_t(rows);
    static_assert(sizeof config == 64);
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  static void release() { asm volatile("tilerelease"); }
  // Assembly, because the compiler's tile intrinsics are macros that take literal tile numbers only.
  template <int T>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(T));
  }
  template <int T>
  static void load(const std::byte* from, ptrdiff_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(T) : "memory");
  }
  template <int T>
  static void store(std::byte* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(ptrdiff_t(kTileBytes)), "i"(T) : "memory");
  }
  template <int C, int A, int B>
  static void dpbusd() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
  }
  template <int C, int A, int B>
  static void dpbf16ps() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
  }
};

}  // namespace

const DirectCode kTilesInt8Amx = {.name = "tiles-amx",
                                  .numbers = Numbers::int8,
                                  .lanes = 16,
                                  .max_vectors = 2,
                                  .row = tiles_row<AmxTile, TileInt8>,
                                  .enter = enter_tiles<AmxTile>,
                                  .leave = leave_tiles<AmxTile>,
                                  .otherwise = &kDirectInt8Avx512};
const DirectCode kTilesBf16Amx = {.name = "tiles-amx",
                                  .numbers = Numbers::bf16,
                                  .lanes = 16,
                                  .max_vectors = 2,
                                  .row = tiles_row<AmxTile, TileBf16>,
                                  .enter = enter_tiles<AmxTile>,
                                  .leave = leave_tiles<AmxTile>,
                                  .otherwise = &kDirectBf16Avx512};

}  // namespace fye
