// Winograd convolution on 512-bit vectors, int8: 16-bit products by vpdpwssd.
#include <immintrin.h>

#include "kernels/conv/int8_epilogue_avx512-inl.h"
#include "kernels/conv/vector16-inl.h"
#include "kernels/conv/winograd_whole-inl.h"

namespace fye {
namespace {

struct Ints16 {
  using Vector = __m512i;
  static constexpr int kLanes = 16;

  // Levels of as many channels as 16-bit lanes.
  static Vector widen(const std::byte* p) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Vector add16(Vector a, Vector b) { return _mm512_add_epi16(a, b); }
  static Vector subtract16(Vector a, Vector b) { return _mm512_sub_epi16(a, b); }
  static Vector times4(Vector a) { return _mm512_slli_epi16(a, 2); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_epi32(a, b); }
  template <int kBy>
  static Vector shift_left(Vector a) {
    return _mm512_slli_epi32(a, kBy);
  }
  template <int kBy>
  static Vector shift_right(Vector a) {
    return _mm512_srai_epi32(a, kBy);
  }
  static Vector multiply(Vector a, int32_t b) { return _mm512_mullo_epi32(a, _mm512_set1_epi32(b)); }
  static Vector load(const std::byte* p) { return _mm512_loadu_si512(p); }
  static void store(std::byte* p, Vector x) { _mm512_storeu_si512(p, x); }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

// Pairs of 16-bit channels.
struct Int16Dot : IntSums16 {
  static constexpr int kLanes = 16;
  static constexpr const int* kPixels = kPixels32;
  static constexpr bool kHasRest = false;

  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const Vector* w = reinterpret_cast<const Vector*>(weights);
    Vector held[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) held[v] = _mm512_load_si512(w + v);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = _mm512_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = _mm512_dpwssd_epi32(acc[p][v], x, held[v]);
    }
  }
};

}  // namespace

const WinogradCode kWinogradInt8Avx512 = {.name = "winograd-avx512",
                                          .fewest_channels = 32,
                                          .element_bytes = 2,
                                          .products = {.name = "winograd-avx512",
                                                       .numbers = Numbers::int8,
                                                       .lanes = 16,
                                                       .max_vectors = 4,
                                                       .row = direct_row<Sums<Int16Dot>>},
                                          .pixels = Int16Dot::kPixels,
                                          .input = whole_input<Ints16>,
                                          .output = winograd_output<WinogradWhole<Ints16>>};

}  // namespace fye
