// Direct convolution on 512-bit vectors, bf16 by vdpbf16ps, and the rounding to bf16 that needs AVX512_BF16.
#include <immintrin.h>

#include "kernels/conv/bf16_epilogue-inl.h"
#include "kernels/conv/direct-inl.h"
#include "kernels/conv/narrow-inl.h"
#include "kernels/conv/vector16-inl.h"

namespace fye {
namespace {

struct Bf16Dot : FloatSums16 {
  static constexpr int kLanes = 16;
  static constexpr const int* kPixels = kPixels32;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm512_loadu_ps(static_cast<const float*>(e.start) + slot);
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    __m512i w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const __m512i x = _mm512_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = _mm512_dpbf16_ps(acc[p][v], __m512bh(x), __m512bh(w[v]));
    }
  }
  static Vector inputs(const std::byte* p) { return _mm512_loadu_ps(p); }
  static Vector first_inputs(const std::byte* p, int groups) {
    return _mm512_maskz_loadu_ps(__mmask16((1u << groups) - 1), p);
  }
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return _mm512_dpbf16_ps(acc, __m512bh(_mm512_castps_si512(inputs)), __m512bh(_mm512_load_si512(weights)));
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Bf16x16, V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace

const DirectCode kDirectBf16Avx512 = {.name = "direct-avx512",
                                      .numbers = Numbers::bf16,
                                      .lanes = 16,
                                      .max_vectors = 4,
                                      .row = direct_row<Bf16Dot>,
                                      .narrow = narrow_row<Bf16Dot>};

}  // namespace fye
