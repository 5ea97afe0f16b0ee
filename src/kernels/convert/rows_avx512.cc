// The converter on AVX-512: 16 elements a vector, the partial last one by masks. Internal linkage throughout:
// see number.h.
#include <immintrin.h>

// GCC 12 takes the undefined vectors inside its own intrinsics for a mistake of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "kernels/convert/row_table.h"

namespace fye {
namespace {

constexpr int kStep = 16;

struct Constants {
  __m512 scale, lo, hi;
  __m512i zero;
};
inline Constants constants(Quant q, int max) {
  return {_mm512_set1_ps(q.scale), _mm512_set1_ps(float(-q.zero)), _mm512_set1_ps(float(max - q.zero)),
          _mm512_set1_epi32(q.zero)};
}

inline __m512i quantise(__m512 v, const Constants& c) {
  v = _mm512_div_ps(v, c.scale);
  v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), v);  // NaN -> 0, that is the zero point
  v = _mm512_min_ps(_mm512_max_ps(v, c.lo), c.hi);
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), c.zero);  // rounds half to even
}
inline __m512 dequantise(__m512i q, const Constants& c) {
  return _mm512_mul_ps(c.scale, _mm512_cvtepi32_ps(_mm512_sub_epi32(q, c.zero)));
}

struct Float {
  static constexpr int kBytes = 4, kMax = 0;
  static inline __m512 load(const std::byte* p, const Constants&, __mmask16 m) {
    return _mm512_maskz_loadu_ps(m, p);
  }
  static inline void store(std::byte* p, const Constants&, __mmask16 m, __m512 v) {
    _mm512_mask_storeu_ps(p, m, v);
  }
};

struct U8 {
  static constexpr int kBytes = 1, kMax = 255;
  static inline __m512 load(const std::byte* p, const Constants& c, __mmask16 m) {
    return dequantise(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, p)), c);
  }
  static inline void store(std::byte* p, const Constants& c, __mmask16 m, __m512 v) {
    _mm_mask_storeu_epi8(p, m, _mm512_cvtepi32_epi8(quantise(v, c)));
  }
};

struct U16 {
  static constexpr int kBytes = 2, kMax = 65535;
  static inline __m512 load(const std::byte* p, const Constants& c, __mmask16 m) {
    return dequantise(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, p)), c);
  }
  static inline void store(std::byte* p, const Constants& c, __mmask16 m, __m512 v) {
    _mm256_mask_storeu_epi16(p, m, _mm512_cvtepi32_epi16(quantise(v, c)));
  }
};

// Not vcvtneps2bf16: that instruction flushes denormals.
struct BFloat16 {
  static constexpr int kBytes = 2, kMax = 0;
  static inline __m512 load(const std::byte* p, const Constants&, __mmask16 m) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(m, p)), 16));
  }
  static inline void store(std::byte* p, const Constants&, __mmask16 m, __m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i high = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __m512i value =
        _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), high, _mm512_set1_epi32(0x40));
    _mm256_mask_storeu_epi16(p, m, _mm512_cvtepi32_epi16(value));
  }
};

template <class From, class To>
void flat(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant, Quant out_quant) {
  const Constants from = constants(in_quant, From::kMax), to = constants(out_quant, To::kMax);
  constexpr __mmask16 kAll = 0xffff;
  ptrdiff_t i = 0;
  for (; i + 4 * kStep <= count; i += 4 * kStep) {
    for (int k = 0; k < 4; ++k) {
      const ptrdiff_t j = i + k * kStep;
      To::store(out + j * To::kBytes, to, kAll, From::load(in + j * From::kBytes, from, kAll));
    }
  }
  for (; i < count; i += kStep) {
    const ptrdiff_t left = count - i;
    const __mmask16 m = left >= kStep ? kAll : __mmask16((1u << left) - 1);
    To::store(out + i * To::kBytes, to, m, From::load(in + i * From::kBytes, from, m));
  }
}

}  // namespace

// A local static: nothing compiled for AVX-512 may run before somebody asked for it.
const RowTable& rows_avx512() {
#define FYE_ROW(From) \
  { flat<From, Float>, flat<From, BFloat16>, flat<From, U8>, flat<From, U16> }
  static const RowTable table = {"avx512",
                                 Isa::avx512,
                                 {FYE_ROW(Float), FYE_ROW(BFloat16), FYE_ROW(U8), FYE_ROW(U16)},
                                 {rows_avx2().pitch_3_to_4[0], rows_avx2().pitch_3_to_4[1]},
                                 {rows_avx2().pitch_4_to_3[0], rows_avx2().pitch_4_to_3[1]}};
#undef FYE_ROW
  return table;
}

}  // namespace fye
