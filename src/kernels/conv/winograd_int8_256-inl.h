// Winograd convolution on 256-bit vectors, int8, over how pairs of 16-bit numbers are multiplied and added.
#pragma once

#include <immintrin.h>

#include "kernels/conv/int8_epilogue_avx2-inl.h"
#include "kernels/conv/vector8-inl.h"
#include "kernels/conv/winograd_whole-inl.h"

namespace fye {
namespace {

struct Ints8 {
  using Vector = __m256i;
  static constexpr int kLanes = 8;

  // Levels of as many channels as 16-bit lanes.
  static Vector widen(const std::byte* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static Vector add16(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector subtract16(Vector a, Vector b) { return _mm256_sub_epi16(a, b); }
  static Vector times4(Vector a) { return _mm256_slli_epi16(a, 2); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_epi32(a, b); }
  template <int kBy>
  static Vector shift_left(Vector a) {
    return _mm256_slli_epi32(a, kBy);
  }
  template <int kBy>
  static Vector shift_right(Vector a) {
    return _mm256_srai_epi32(a, kBy);
  }
  static Vector multiply(Vector a, int32_t b) { return _mm256_mullo_epi32(a, _mm256_set1_epi32(b)); }
  static Vector load(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static void store(std::byte* p, Vector x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

// Multiply: dot(acc, x, w) adds the products of pairs of 16-bit channels to 32-bit lanes.
template <class Multiply>
struct Int16Dot : IntSums8 {
  static constexpr int kLanes = 8;
  static constexpr const int* kPixels = kPixels16;
  static constexpr bool kHasRest = false;

  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const Vector* w = reinterpret_cast<const Vector*>(weights);
    Vector held[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) held[v] = _mm256_load_si256(w + v);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = _mm256_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = Multiply::dot(acc[p][v], x, held[v]);
    }
  }
};

template <class Multiply>
constexpr WinogradCode winograd_int8_256(std::string_view name, int fewest_channels) {
  return {.name = name,
          .fewest_channels = fewest_channels,
          .element_bytes = 2,
          .products = {.name = name,
                       .numbers = Numbers::int8,
                       .lanes = 8,
                       .max_vectors = 2,  // six tiles share their weights
                       .row = direct_row<Sums<Int16Dot<Multiply>>>},
          .pixels = Int16Dot<Multiply>::kPixels,
          .input = whole_input<Ints8>,
          .output = winograd_output<WinogradWhole<Ints8>>};
}

}  // namespace
}  // namespace fye
