// Float policies on 512-bit vectors for float_epilogue-inl.h.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct.h"

namespace fye {
namespace {

struct Float16 {
  using Vector = __m512;
  static constexpr int kLanes = 16, kElement = 4;

  static Vector set(float x) { return _mm512_set1_ps(x); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector scale_negative(Vector y, Vector slope) {
    return _mm512_mask_mul_ps(y, _mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_LT_OQ), y, slope);
  }
  static Vector residual(const DirectEpilogue& e, const std::byte* pixel, int channel, int slot) {
    const float* from = reinterpret_cast<const float*>(pixel);
    if (e.residual == ResidualKind::plain) return load(from + channel);
    const __m512i index = _mm512_loadu_si512(e.residual_index + slot);
    if (e.residual == ResidualKind::repeated) return _mm512_permutexvar_ps(index, load(from));
    return _mm512_i32gather_ps(index, from, 4);
  }
  static Vector first_lanes(Vector y, int count) {
    return _mm512_maskz_mov_ps(__mmask16((1u << count) - 1), y);
  }
  static void store(std::byte* to, Vector y) { _mm512_storeu_ps(to, y); }
  static void store_part(std::byte* to, Vector y, int count) {
    _mm512_mask_storeu_ps(to, __mmask16((1u << count) - 1), y);
  }
};

}  // namespace
}  // namespace fye
