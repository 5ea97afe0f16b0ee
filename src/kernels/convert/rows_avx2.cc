// The converter on AVX2: 32 elements a step as four vectors of float, whatever the types on either side.
//
// The last, partial step runs on copies in local arrays, so that no byte beyond the row is touched and every
// element goes through the same instructions. Everything here has internal linkage: see number.h.
#include <immintrin.h>

#include <cstring>

#include "kernels/convert/row_table.h"

namespace fye {
namespace {

constexpr int kStep = 32;

struct Constants {
  __m256 scale, lo, hi;
  __m256i zero;
};
inline Constants constants(Quant q, int max) {
  return {_mm256_set1_ps(q.scale), _mm256_set1_ps(float(-q.zero)), _mm256_set1_ps(float(max - q.zero)),
          _mm256_set1_epi32(q.zero)};
}

struct Float {
  static constexpr int kBytes = 4, kMax = 0;
  static inline void load(const std::byte* p, const Constants&, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(p) + 8 * i);
  }
  static inline void store(std::byte* p, const Constants&, const __m256 v[4]) {
    for (int i = 0; i < 4; ++i) _mm256_storeu_ps(reinterpret_cast<float*>(p) + 8 * i, v[i]);
  }
};

inline __m256i quantise(__m256 v, const Constants& c) {
  v = _mm256_div_ps(v, c.scale);
  v = _mm256_and_ps(v, _mm256_cmp_ps(v, v, _CMP_ORD_Q));  // NaN -> 0, that is the zero point
  v = _mm256_min_ps(_mm256_max_ps(v, c.lo), c.hi);
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), c.zero);  // rounds half to even
}
inline __m256 dequantise(__m256i q, const Constants& c) {
  return _mm256_mul_ps(c.scale, _mm256_cvtepi32_ps(_mm256_sub_epi32(q, c.zero)));
}

struct U8 {
  static constexpr int kBytes = 1, kMax = 255;
  static inline void load(const std::byte* p, const Constants& c, __m256 v[4]) {
    for (int i = 0; i < 4; ++i)
      v[i] =
          dequantise(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8 * i))), c);
  }
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    const __m256i a = _mm256_packs_epi32(quantise(v[0], c), quantise(v[1], c));
    const __m256i b = _mm256_packs_epi32(quantise(v[2], c), quantise(v[3], c));
    // Packing works within 128-bit halves; this puts the groups of four back in order.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
};

// Two vectors of 32-bit values below 65536 -> 16 values of 16 bits.
inline __m256i pack16(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8);
}
inline void store16(std::byte* p, __m256i a, __m256i b, __m256i c, __m256i d) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), pack16(a, b));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p) + 1, pack16(c, d));
}
inline __m256i load16(const std::byte* p) {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

struct U16 {
  static constexpr int kBytes = 2, kMax = 65535;
  static inline void load(const std::byte* p, const Constants& c, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = dequantise(load16(p + 16 * i), c);
  }
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    store16(p, quantise(v[0], c), quantise(v[1], c), quantise(v[2], c), quantise(v[3], c));
  }
};

struct BFloat16 {
  static constexpr int kBytes = 2, kMax = 0;
  static inline void load(const std::byte* p, const Constants&, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm256_castsi256_ps(_mm256_slli_epi32(load16(p + 16 * i), 16));
  }
  static inline __m256i round(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
  }
  static inline void store(std::byte* p, const Constants&, const __m256 v[4]) {
    store16(p, round(v[0]), round(v[1]), round(v[2]), round(v[3]));
  }
};

template <class From, class To>
void flat(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant, Quant out_quant) {
  const Constants from = constants(in_quant, From::kMax), to = constants(out_quant, To::kMax);
  __m256 v[4];
  ptrdiff_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    From::load(in + i * From::kBytes, from, v);
    To::store(out + i * To::kBytes, to, v);
  }
  if (i == count) return;
  alignas(32) std::byte head[kStep * From::kBytes] = {}, tail[kStep * To::kBytes];
  std::memcpy(head, in + i * From::kBytes, size_t(count - i) * From::kBytes);
  From::load(head, from, v);
  To::store(tail, to, v);
  std::memcpy(out + i * To::kBytes, tail, size_t(count - i) * To::kBytes);
}

// Whole 16-byte loads and stores while they stay inside the row, the last pixels by elements. kSize: bytes an
// element.
template <int kSize>
void widen(const std::byte* in, std::byte* out, ptrdiff_t pixels, uint32_t gap) {
  constexpr int kPixels = 4 / kSize;  // per 16-byte store
  const __m128i shuffle = kSize == 1 ? _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1)
                                     : _mm_setr_epi8(0, 1, 2, 3, 4, 5, -1, -1, 6, 7, 8, 9, 10, 11, -1, -1);
  const __m128i fill =
      kSize == 1 ? _mm_set1_epi32(int(gap << 24)) : _mm_set1_epi64x((long long)(uint64_t(gap) << 48));
  const ptrdiff_t bytes = pixels * 3 * kSize;
  ptrdiff_t i = 0;
  for (; i * 3 * kSize + 16 <= bytes; i += kPixels) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i * 3 * kSize));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * 4 * kSize),
                     _mm_or_si128(_mm_shuffle_epi8(v, shuffle), fill));
  }
  for (; i < pixels; ++i) {
    std::memcpy(out + i * 4 * kSize, in + i * 3 * kSize, 3 * kSize);
    std::memcpy(out + (i * 4 + 3) * kSize, &gap, kSize);  // little-endian, as every machine with AVX2
  }
}

template <int kSize>
void narrow(const std::byte* in, std::byte* out, ptrdiff_t pixels, uint32_t) {
  constexpr int kPixels = 4 / kSize;
  const __m128i shuffle = kSize == 1 ? _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)
                                     : _mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1);
  const ptrdiff_t bytes = pixels * 3 * kSize;
  ptrdiff_t i = 0;
  for (; i * 3 * kSize + 16 <= bytes;
       i += kPixels) {  // the four bytes too many are overwritten by the next step
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i * 4 * kSize));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * 3 * kSize), _mm_shuffle_epi8(v, shuffle));
  }
  for (; i < pixels; ++i) std::memcpy(out + i * 3 * kSize, in + i * 4 * kSize, 3 * kSize);
}

#define FYE_ROW(From) \
  { flat<From, Float>, flat<From, BFloat16>, flat<From, U8>, flat<From, U16> }
constexpr RowTable kTable = {"avx2",
                             Isa::avx2,
                             {FYE_ROW(Float), FYE_ROW(BFloat16), FYE_ROW(U8), FYE_ROW(U16)},
                             {widen<1>, widen<2>},
                             {narrow<1>, narrow<2>}};
#undef FYE_ROW

}  // namespace

const RowTable& rows_avx2() { return kTable; }

}  // namespace fye
