// The int8 epilogue on 256-bit vectors: requantise 8 accumulators a vector, pack up to four vectors of a
// pixel to 32 bytes, or each to 8 numbers of 16 bits.
#pragma once

#include <immintrin.h>

#include "kernels/conv/direct.h"

namespace fye {
namespace {

// One pixel's residual: B * (q_r - z_r) for 8 lanes at a time.
class Residual {
 public:
  Residual(const DirectEpilogue& e, const std::byte* pixel) : e_(e), pixel_(pixel) {
    if (e.residual == ResidualKind::repeated) repeated_ = scaled(levels_at(pixel));
  }
  __m256 at(int channel, int slot) const {
    if (e_.residual == ResidualKind::plain) return scaled(levels_at(pixel_ + channel));
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(e_.residual_index + slot));
    if (e_.residual == ResidualKind::repeated) return _mm256_permutevar8x32_ps(repeated_, index);
    return scaled(_mm256_and_si256(_mm256_i32gather_epi32(reinterpret_cast<const int*>(pixel_), index, 1),
                                   _mm256_set1_epi32(255)));
  }

 private:
  static __m256i levels_at(const std::byte* p) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  }
  __m256 scaled(__m256i levels) const {
    const __m256 steps = _mm256_cvtepi32_ps(_mm256_sub_epi32(levels, _mm256_set1_epi32(e_.z_res)));
    return _mm256_mul_ps(_mm256_set1_ps(e_.b), steps);
  }
  const DirectEpilogue& e_;
  const std::byte* pixel_;
  __m256 repeated_ = _mm256_setzero_ps();  // all channels of the pixel, once
};

// rne(f32(acc) * M [+ B * residual]), clamped first only where the conversion could overflow otherwise.
template <bool kPlain>
__m256i requantise(__m256i acc, const DirectEpilogue& e, const Residual& residual, int channel, int slot) {
  const __m256 x = _mm256_cvtepi32_ps(acc);
  __m256 m = _mm256_loadu_ps(e.positive + slot);
  if constexpr (kPlain) return _mm256_cvtps_epi32(_mm256_mul_ps(x, m));
  if (e.has_slope) m = _mm256_blendv_ps(m, _mm256_loadu_ps(e.negative + slot), _mm256_castsi256_ps(acc));
  __m256 y = _mm256_mul_ps(x, m);
  if (e.residual != ResidualKind::none) y = _mm256_add_ps(y, residual.at(channel, slot));
  if (!e.bounded)
    y = _mm256_min_ps(_mm256_set1_ps(float(255 - e.z)), _mm256_max_ps(_mm256_set1_ps(float(-e.z)), y));
  return _mm256_cvtps_epi32(y);
}

// Eight bytes of each of four vectors, in order, with the zero point added and the bounds applied. Saturation
// to 16 bits on the way changes nothing: what lies beyond is beyond 0..255 too.
inline __m256i pack_levels(const __m256i (&q)[4], const DirectEpilogue& e, __m256i upper) {
  const __m256i z = _mm256_set1_epi16(short(e.z));
  const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), z);
  const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), z);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
  return _mm256_min_epu8(upper, _mm256_max_epu8(_mm256_set1_epi8(char(e.q_lo)), bytes));
}

// acc(p, v): accumulators of pixel x + p, vector v. The structs are copies so that stores to the map can't be
// taken for changes of them.
template <int V, bool kPlain, class Acc>
void finish_int8_pixels(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                        const DirectEpilogue e, int x) {
  const int stored = block.channels + (block.last ? row.gap : 0);
  const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(e.upper + block.slot));
  for (int p = 0; p < pixels; ++p) {
    const Residual residual(e, row.residual + (x + p) * row.residual_pixel);
    __m256i q[4] = {};
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      q[v] = requantise<kPlain>(acc(p, v), e, residual, block.first + v * 8, block.slot + v * 8);
    const __m256i bytes = pack_levels(q, e, upper);
    std::byte* to = row.out + (x + p) * row.out_pixel + block.first;
    const bool whole = stored == V * 8 || (row.spill && x + p + 1 < row.width);
    if (whole && V == 4) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
    } else if (whole && V == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
    } else if (whole && V == 3) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 16), _mm256_extracti128_si256(bytes, 1));
    } else if (whole && V == 1) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
    } else {
      alignas(32) std::byte buffer[32];
      _mm256_store_si256(reinterpret_cast<__m256i*>(buffer), bytes);
      __builtin_memcpy(to, buffer, stored);
    }
  }
}

// 16-bit outputs and residuals, a vector at a time.
template <int V, class Acc>
void finish_wide(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                 const DirectEpilogue e, int x) {
  const int stored = block.channels + (block.last ? row.gap : 0);
  const auto words = [](const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); };
  for (int p = 0; p < pixels; ++p) {
    const bool spill = row.spill && x + p + 1 < row.width;
    const std::byte* residual = row.residual + (x + p) * row.residual_pixel;
    int16_t* to = reinterpret_cast<int16_t*>(row.out + (x + p) * row.out_pixel) + block.first;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int slot = block.slot + v * 8;
      const __m256i sums = acc(p, v);
      __m256 m = _mm256_loadu_ps(e.positive + slot);
      if (e.has_slope) m = _mm256_blendv_ps(m, _mm256_loadu_ps(e.negative + slot), _mm256_castsi256_ps(sums));
      __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), m);
      if (!e.bounded) y = _mm256_min_ps(_mm256_set1_ps(32767), _mm256_max_ps(_mm256_set1_ps(-32768), y));
      const __m256i steps = _mm256_cvtps_epi32(y);
      __m128i q = _mm_packs_epi32(_mm256_castsi256_si128(steps), _mm256_extracti128_si256(steps, 1));
      if (e.residual != ResidualKind::none)
        q = _mm_adds_epi16(q, words(residual + (block.first + v * 8) * 2));
      q = _mm_min_epi16(words(e.upper16 + slot), _mm_max_epi16(words(e.lower16 + slot), q));
      const int count = stored - v * 8;
      if (count >= 8 || spill) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + v * 8), q);
      } else {
        int16_t buffer[8];
        _mm_storeu_si128(reinterpret_cast<__m128i*>(buffer), q);
        __builtin_memcpy(to + v * 8, buffer, size_t(count) * 2);
      }
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
