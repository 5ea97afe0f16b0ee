// The f32 dot product on 512-bit vectors, for direct-inl.h and narrow-inl.h.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/float16-inl.h"
#include "kernels/conv/float_epilogue-inl.h"
#include "kernels/conv/vector16-inl.h"

namespace fye {
namespace {

struct F32Dot : FloatSums16 {
  static constexpr int kLanes = 16;
  static constexpr const int* kPixels = kPixels32;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm512_loadu_ps(static_cast<const float*>(e.start) + slot);
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    Vector w[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) w[v] = _mm512_load_ps(weights + v * 64);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = _mm512_set1_ps(group_at<float>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = _mm512_fmadd_ps(x, w[v], acc[p][v]);
    }
  }
  static Vector inputs(const std::byte* p) { return _mm512_loadu_ps(p); }
  static Vector first_inputs(const std::byte* p, int groups) {
    return _mm512_maskz_loadu_ps(__mmask16((1u << groups) - 1), p);
  }
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return _mm512_fmadd_ps(inputs, _mm512_load_ps(weights), acc);
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Float16, V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
