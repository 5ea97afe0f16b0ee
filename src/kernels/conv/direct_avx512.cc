// Direct convolution on 512-bit vectors: f32 by FMA, int8 by vpdpbusd.
#include <immintrin.h>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/f32_dot16-inl.h"
#include "kernels/conv/int8_epilogue_avx512-inl.h"
#include "kernels/conv/narrow-inl.h"
#include "kernels/conv/vector16-inl.h"

namespace fye {
namespace {

struct Int8Dot : IntSums16 {
  static constexpr int kLanes = 16;
  static constexpr const int* kPixels = kPixels32;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm512_loadu_si512(static_cast<const int32_t*>(e.start) + slot);
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    Vector w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_load_si512(weights + v * 64);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = _mm512_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = _mm512_dpbusd_epi32(acc[p][v], x, w[v]);
    }
  }
  static Vector inputs(const std::byte* p) { return _mm512_loadu_si512(p); }
  static Vector first_inputs(const std::byte* p, int) { return inputs(p); }  // the weights beyond are zero
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return _mm512_dpbusd_epi32(acc, inputs, _mm512_load_si512(weights));
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace

const DirectCode kDirectF32Avx512 = {.name = "direct-avx512",
                                     .numbers = Numbers::f32,
                                     .lanes = 16,
                                     .max_vectors = 4,
                                     .row = direct_row<F32Dot>,
                                     .narrow = narrow_row<F32Dot>};
const DirectCode kDirectInt8Avx512 = {.name = "direct-avx512",
                                      .numbers = Numbers::int8,
                                      .lanes = 16,
                                      .max_vectors = 4,
                                      .row = direct_row<Int8Dot>,
                                      .narrow = narrow_row<Int8Dot>};

}  // namespace fye
