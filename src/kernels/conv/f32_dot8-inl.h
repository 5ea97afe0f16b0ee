// Float policies and the f32 dot product on 256-bit vectors, for float_epilogue-inl.h, direct-inl.h and
// narrow-inl.h.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/float_epilogue-inl.h"
#include "kernels/conv/vector8-inl.h"

namespace fye {
namespace {

struct Float8 {
  using Vector = __m256;
  static constexpr int kLanes = 8, kElement = 4;

  static Vector set(float x) { return _mm256_set1_ps(x); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Vector min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector scale_negative(Vector y, Vector slope) {
    const Vector negative = _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_blendv_ps(y, _mm256_mul_ps(y, slope), negative);
  }
  static Vector residual(const DirectEpilogue& e, const std::byte* pixel, int channel, int slot) {
    const float* from = reinterpret_cast<const float*>(pixel);
    if (e.residual == ResidualKind::plain) return load(from + channel);
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(e.residual_index + slot));
    if (e.residual == ResidualKind::repeated) return _mm256_permutevar8x32_ps(load(from), index);
    return _mm256_i32gather_ps(from, index, 4);
  }
  static Vector first_lanes(Vector y, int count) {
    return _mm256_and_ps(y, _mm256_castsi256_ps(first(count)));
  }
  static void store(std::byte* to, Vector y) { _mm256_storeu_ps(reinterpret_cast<float*>(to), y); }
  static void store_part(std::byte* to, Vector y, int count) {
    _mm256_maskstore_ps(reinterpret_cast<float*>(to), first(count), y);
  }
  static __m256i first(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

struct F32Dot : FloatSums8 {
  static constexpr int kLanes = 8;
  static constexpr const int* kPixels = kPixels16;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm256_loadu_ps(static_cast<const float*>(e.start) + slot);
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const float* w = reinterpret_cast<const float*>(weights);
    if constexpr (P > V) {  // keep the smaller side in registers
      Vector held[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) held[v] = _mm256_load_ps(w + v * 8);
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) {
        const Vector x = _mm256_set1_ps(group_at<float>(in[p]));
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = _mm256_fmadd_ps(x, held[v], acc[p][v]);
      }
    } else {
      Vector x[P];
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) x[p] = _mm256_set1_ps(group_at<float>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vector held = _mm256_load_ps(w + v * 8);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) acc[p][v] = _mm256_fmadd_ps(x[p], held, acc[p][v]);
      }
    }
  }
  static Vector inputs(const std::byte* p) { return _mm256_loadu_ps(reinterpret_cast<const float*>(p)); }
  static Vector first_inputs(const std::byte* p, int groups) {
    return _mm256_maskload_ps(reinterpret_cast<const float*>(p), Float8::first(groups));
  }
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return _mm256_fmadd_ps(inputs, _mm256_load_ps(reinterpret_cast<const float*>(weights)), acc);
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Float8, V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
