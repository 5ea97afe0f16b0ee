// What the narrow kernels need of a 256-bit vector of sums, for float and for int32.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace fye {
namespace {

struct FloatSums8 {
  using Vector = __m256;
  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector plus(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector sum4(Vector a, Vector b, Vector c, Vector d) {
    const Vector ab = plus(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    const Vector cd = plus(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    const Vector low = _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd)));
    const Vector high = _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd)));
    const Vector lanes = plus(low, high);
    return _mm256_zextps128_ps256(_mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1)));
  }
  static Vector lanes(Vector sums, int first) {
    const __m256i order =
        _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
    return _mm256_permutevar8x32_ps(sums, order);
  }
};

struct IntSums8 {
  using Vector = __m256i;
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector plus(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector sum4(Vector a, Vector b, Vector c, Vector d) {
    const Vector ab = plus(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
    const Vector cd = plus(_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
    const Vector lanes = plus(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
    return _mm256_zextsi128_si256(
        _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1)));
  }
  static Vector lanes(Vector sums, int first) {
    const __m256i order =
        _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(first));
    return _mm256_permutevar8x32_epi32(sums, order);
  }
};

}  // namespace
}  // namespace fye
