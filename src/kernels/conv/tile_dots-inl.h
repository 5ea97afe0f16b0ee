// The Dot policies of the tile kernels: which tile product, and the AVX-512 epilogue.
#pragma once

#include "kernels/conv/bf16_epilogue-inl.h"
#include "kernels/conv/int8_epilogue_avx512-inl.h"
#include "kernels/conv/tiles-inl.h"

namespace fye {
namespace {

struct TileInt8 {
  static constexpr bool kHasNan = false;
  template <class Tile, int C, int A, int B>
  static void multiply() {
    Tile::template dpbusd<C, A, B>();
  }
  static __m512i load(const std::byte* p) { return _mm512_load_si512(p); }
  static __m512i start(const DirectEpilogue& e, int slot) {
    return _mm512_loadu_si512(static_cast<const int32_t*>(e.start) + slot);
  }
  static __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

struct TileBf16 {
  static constexpr bool kHasNan = true;
  template <class Tile, int C, int A, int B>
  static void multiply() {
    Tile::template dpbf16ps<C, A, B>();
  }
  static __m512 load(const std::byte* p) { return _mm512_load_ps(p); }
  static __m512 start(const DirectEpilogue& e, int slot) {
    return _mm512_loadu_ps(static_cast<const float*>(e.start) + slot);
  }
  static __m512 plus(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Bf16x16, V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
