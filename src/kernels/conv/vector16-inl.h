// What the narrow kernels need of a 512-bit vector of sums, for float and for int32.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace fye {
namespace {

struct FloatSums16 {
  using Vector = __m512;
  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector plus(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector sum4(Vector a, Vector b, Vector c, Vector d) {
    const Vector ab = plus(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    const Vector cd = plus(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const Vector low = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)));
    const Vector high = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd)));
    const Vector lanes = plus(low, high);
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(lanes), _mm512_extractf32x8_ps(lanes, 1));
    return _mm512_zextps128_ps512(_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
  }
  static Vector lanes(Vector sums, int first) {
    return _mm512_permutexvar_ps(
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(first)),
        sums);
  }
};

struct IntSums16 {
  using Vector = __m512i;
  static Vector zero() { return _mm512_setzero_si512(); }
  static Vector plus(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector sum4(Vector a, Vector b, Vector c, Vector d) {
    const Vector ab = plus(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    const Vector cd = plus(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    const Vector lanes = plus(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));
    return _mm512_zextsi128_si512(
        _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
  }
  static Vector lanes(Vector sums, int first) {
    return _mm512_permutexvar_epi32(
        _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                         _mm512_set1_epi32(first)),
        sums);
  }
};

}  // namespace
}  // namespace fye
