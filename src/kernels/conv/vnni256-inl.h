// Direct convolution on 256-bit vectors, int8 by vpdpbusd: the Dot policy.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/int8_epilogue_avx2-inl.h"
#include "kernels/conv/narrow-inl.h"
#include "kernels/conv/vector8-inl.h"

namespace fye {
namespace {

// Multiply: the vpdpbusd intrinsic, in the VEX or the EVEX encoding.
template <class Multiply>
struct Vnni256Dot : IntSums8 {
  static constexpr int kLanes = 8;
  static constexpr const int* kPixels = kPixels16;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const int32_t*>(e.start) + slot));
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const __m256i* w = reinterpret_cast<const __m256i*>(weights);
    Vector x[P];
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) x[p] = _mm256_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const Vector held = _mm256_load_si256(w + v);
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) acc[p][v] = Multiply::dot(acc[p][v], x[p], held);
    }
  }
  static Vector inputs(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Vector first_inputs(const std::byte* p, int) { return inputs(p); }  // the weights beyond are zero
  static Vector dot(Vector acc, Vector x, const std::byte* weights) {
    return Multiply::dot(acc, x, _mm256_load_si256(reinterpret_cast<const __m256i*>(weights)));
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
