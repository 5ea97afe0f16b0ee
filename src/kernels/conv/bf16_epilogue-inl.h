// The float epilogue with bf16 in memory.
#pragma once

#include "kernels/conv/float16-inl.h"
#include "kernels/conv/float_epilogue-inl.h"

namespace fye {
namespace {

struct Bf16x16 : Float16 {
  static constexpr int kElement = 2;

  static Vector widen(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
  }
  static Vector residual(const DirectEpilogue& e, const std::byte* pixel, int channel, int slot) {
    const auto load16 = [](const std::byte* p) {
      return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    };
    if (e.residual == ResidualKind::plain) return widen(load16(pixel + channel * kElement));
    const __m512i index = _mm512_loadu_si512(e.residual_index + slot);
    if (e.residual == ResidualKind::repeated) return _mm512_permutexvar_ps(index, widen(load16(pixel)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_i32gather_epi32(index, pixel, kElement), 16));
  }
  static __m256i round(Vector y) {
#ifdef __AVX512BF16__
    return __m256i(_mm512_cvtneps_pbh(y));
#else
    const __m512i bits = _mm512_castps_si512(y);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __mmask16 nan = _mm512_cmp_ps_mask(y, y, _CMP_UNORD_Q);
    return _mm512_cvtepi32_epi16(
        _mm512_mask_mov_epi32(_mm512_srli_epi32(up, 16), nan, _mm512_set1_epi32(0x7fc0)));
#endif
  }
  static void store(std::byte* to, Vector y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), round(y));
  }
  static void store_part(std::byte* to, Vector y, int count) {
    _mm256_mask_storeu_epi16(to, __mmask16((1u << count) - 1), round(y));
  }
};

}  // namespace
}  // namespace fye
