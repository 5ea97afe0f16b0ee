// The int8 epilogue on 512-bit vectors: requantise 16 accumulators a vector, pack four vectors to 64 bytes,
// or each to 16 numbers of 16 bits, store.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct.h"

namespace fye {
namespace {

// One pixel's residual: B * (q_r - z_r) for 16 lanes at a time.
class Residual {
 public:
  Residual(const DirectEpilogue& e, const std::byte* pixel) : e_(e), pixel_(pixel) {
    if (e.residual == ResidualKind::repeated) repeated_ = scaled(levels_at(pixel));
  }
  __m512 at(int channel, int slot) const {
    if (e_.residual == ResidualKind::plain) return scaled(levels_at(pixel_ + channel));
    const __m512i index = _mm512_loadu_si512(e_.residual_index + slot);
    if (e_.residual == ResidualKind::repeated) return _mm512_permutexvar_ps(index, repeated_);
    return scaled(_mm512_and_si512(_mm512_i32gather_epi32(index, pixel_, 1), _mm512_set1_epi32(255)));
  }

 private:
  static __m512i levels_at(const std::byte* p) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  __m512 scaled(__m512i levels) const {
    const __m512 steps = _mm512_cvtepi32_ps(_mm512_sub_epi32(levels, _mm512_set1_epi32(e_.z_res)));
    return _mm512_mul_ps(_mm512_set1_ps(e_.b), steps);
  }
  const DirectEpilogue& e_;
  const std::byte* pixel_;
  __m512 repeated_ = _mm512_setzero_ps();  // all channels of the pixel, once
};

// rne(f32(acc) * M [+ B * residual]), clamped first only where the conversion could overflow otherwise.
template <bool kPlain>
__m512i requantise(__m512i acc, const DirectEpilogue& e, const Residual& residual, int channel, int slot) {
  const __m512 x = _mm512_cvtepi32_ps(acc);
  __m512 m = _mm512_loadu_ps(e.positive + slot);
  if constexpr (kPlain) return _mm512_cvtps_epi32(_mm512_mul_ps(x, m));
  if (e.has_slope) m = _mm512_mask_loadu_ps(m, _mm512_movepi32_mask(acc), e.negative + slot);
  __m512 y = _mm512_mul_ps(x, m);
  if (e.residual != ResidualKind::none) y = _mm512_add_ps(y, residual.at(channel, slot));
  if (!e.bounded)
    y = _mm512_min_ps(_mm512_set1_ps(float(255 - e.z)), _mm512_max_ps(_mm512_set1_ps(float(-e.z)), y));
  return _mm512_cvtps_epi32(y);
}

// Sixteen bytes of each of four vectors, in order, with the zero point added and the bounds applied.
// Saturation to 16 bits on the way changes nothing: what lies beyond is beyond 0..255 too.
inline __m512i pack_levels(const __m512i (&q)[4], const DirectEpilogue& e, __m512i upper) {
  const __m512i z = _mm512_set1_epi16(short(e.z));
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), z);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), z);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
  return _mm512_min_epu8(upper, _mm512_max_epu8(_mm512_set1_epi8(char(e.q_lo)), bytes));
}

// The bounds of V vectors, for as many pixels as share four.
template <int V>
__m512i upper_levels(const uint8_t* upper) {
  if constexpr (V == 1)
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(upper)));
  if constexpr (V == 2)
    return _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(upper)));
  return _mm512_loadu_si512(upper);
}

inline __mmask64 first_bytes(int count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }

// acc(p, v): accumulators of pixel x + p, vector v. Four vectors at a time: one pixel of 3 or 4, two of 2,
// four of 1. The structs are copies so that stores to the map can't be taken for changes of them.
template <int V, bool kPlain, class Acc>
void finish_int8_pixels(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                        const DirectEpilogue e, int x) {
  constexpr int kTogether = V >= 3 ? 1 : 4 / V;
  const int stored = block.channels + (block.last ? row.gap : 0);
  const __mmask64 mask = first_bytes(stored);
  const __m512i upper = upper_levels<V>(e.upper + block.slot);
  for (int p = 0; p < pixels; p += kTogether) {
    __m512i q[4] = {};
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      if (p + i >= pixels) break;
      const Residual residual(e, row.residual + (x + p + i) * row.residual_pixel);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v)
        q[i * V + v] =
            requantise<kPlain>(acc(p + i, v), e, residual, block.first + v * 16, block.slot + v * 16);
    }
    const __m512i bytes = pack_levels(q, e, upper);
    std::byte* out = row.out + (x + p) * row.out_pixel + block.first;
#pragma GCC unroll 4
    for (int i = 0; i < kTogether; ++i) {
      if (p + i >= pixels) break;
      std::byte* to = out + i * row.out_pixel;
      const bool whole = stored == V * 16 || (row.spill && x + p + i + 1 < row.width);
      if constexpr (V >= 3) {
        if (whole && V == 4)
          _mm512_storeu_si512(to, bytes);
        else
          _mm512_mask_storeu_epi8(to, mask, bytes);
      } else if constexpr (V == 2) {
        const __m256i half = i ? _mm512_extracti64x4_epi64(bytes, 1) : _mm512_castsi512_si256(bytes);
        if (whole)
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), half);
        else
          _mm256_mask_storeu_epi8(to, __mmask32(mask), half);
      } else {
        alignas(64) __m128i quarter[4];
        _mm512_store_si512(quarter, bytes);
        if (whole)
          _mm_storeu_si128(reinterpret_cast<__m128i*>(to), quarter[i]);
        else
          _mm_mask_storeu_epi8(to, __mmask16(mask), quarter[i]);
      }
    }
  }
}

// 16-bit outputs and residuals, a vector at a time.
template <int V, class Acc>
void finish_wide(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                 const DirectEpilogue e, int x) {
  const int stored = block.channels + (block.last ? row.gap : 0);
  for (int p = 0; p < pixels; ++p) {
    const bool spill = row.spill && x + p + 1 < row.width;
    const std::byte* residual = row.residual + (x + p) * row.residual_pixel;
    int16_t* to = reinterpret_cast<int16_t*>(row.out + (x + p) * row.out_pixel) + block.first;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int slot = block.slot + v * 16;
      const __m512i sums = acc(p, v);
      __m512 m = _mm512_loadu_ps(e.positive + slot);
      if (e.has_slope) m = _mm512_mask_loadu_ps(m, _mm512_movepi32_mask(sums), e.negative + slot);
      __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), m);
      if (!e.bounded) y = _mm512_min_ps(_mm512_set1_ps(32767), _mm512_max_ps(_mm512_set1_ps(-32768), y));
      __m256i q = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(y));
      if (e.residual != ResidualKind::none)
        q = _mm256_adds_epi16(
            q, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(residual + (block.first + v * 16) * 2)));
      q = _mm256_max_epi16(q, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(e.lower16 + slot)));
      q = _mm256_min_epi16(q, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(e.upper16 + slot)));
      const int count = stored - v * 16;
      if (count >= 16 || spill)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + v * 16), q);
      else
        _mm256_mask_storeu_epi16(to + v * 16, __mmask16((1u << count) - 1), q);
    }
  }
}

template <int V, class Acc>
void finish_int8(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                 const DirectEpilogue& e, int x) {
  if (e.upper16)
    finish_wide<V>(acc, pixels, row, block, e, x);
  else if (e.bounded && !e.has_slope && e.residual == ResidualKind::none)
    finish_int8_pixels<V, true>(acc, pixels, row, block, e, x);
  else
    finish_int8_pixels<V, false>(acc, pixels, row, block, e, x);
}

}  // namespace
}  // namespace fye
