// The converter on AVX-512: 64 elements a step as four vectors of float; division, partial steps and streams
// as in rows_avx2.cc. Internal linkage throughout: see number.h.
#include <immintrin.h>

// GCC 12 takes the undefined vectors inside its own intrinsics for a mistake of ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include <cstring>
#include <type_traits>

#include "kernels/convert/row_table.h"

namespace fye {
namespace {

constexpr int kStep = 64;

struct Constants {
  __m512 scale, inverse, certain;
  __m512i zero, zero16;
};
inline Constants constants(Quant q) {
  const Reciprocal r = reciprocal(q.scale);
  return {_mm512_set1_ps(q.scale), _mm512_set1_ps(r.inverse), _mm512_set1_ps(r.certain),
          _mm512_set1_epi32(q.zero), _mm512_set1_epi16(short(q.zero))};
}

template <bool kStream>
inline void put(std::byte* p, int vector, __m512i v) {
  __m512i* to = reinterpret_cast<__m512i*>(p) + vector;
  if constexpr (kStream)
    _mm512_stream_si512(to, v);
  else
    _mm512_storeu_si512(to, v);
}

struct Float {
  static constexpr int kBytes = 4;
  static constexpr bool kMayBeNan = true;
  static inline void load(const std::byte* p, const Constants&, __m512 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm512_loadu_ps(p + 64 * i);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants&, const __m512 v[4]) {
    for (int i = 0; i < 4; ++i) put<kStream>(p, i, _mm512_castps_si512(v[i]));
  }
};

// rne(v / scale), beyond the limit some level that saturates whatever the zero point; 0 for NaN.
inline __m512i divide(__m512 v, const Constants& c) {
  constexpr int kNearerZeroWithSignOfFirst = 0b0010;
  v = _mm512_div_ps(v, c.scale);
  v = _mm512_maskz_range_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), v, _mm512_set1_ps(kQuotientLimit),
                            kNearerZeroWithSignOfFirst);
  return _mm512_cvtps_epi32(v);  // rounds half to even
}
// The same for levels of 8 bits, mostly by multiplication: see rows_avx2.cc.
inline void divide(const __m512 v[4], const Constants& c, __m512i level[4]) {
  __m512i distance = _mm512_setzero_si512();
  for (int i = 0; i < 4; ++i) {
    const __m512 y = _mm512_mul_ps(v[i], c.inverse);
    level[i] = _mm512_cvtps_epi32(y);
    const __m512 d = _mm512_sub_ps(y, _mm512_cvtepi32_ps(level[i]));
    distance =
        _mm512_max_epi32(distance, _mm512_and_si512(_mm512_castps_si512(d), _mm512_set1_epi32(0x7fffffff)));
  }
  if (_mm512_cmpgt_epi32_mask(distance, _mm512_castps_si512(c.certain))) [[unlikely]]
    for (int i = 0; i < 4; ++i) level[i] = divide(v[i], c);
}
inline __m512 dequantise(__m512i q, const Constants& c) {
  return _mm512_mul_ps(c.scale, _mm512_cvtepi32_ps(_mm512_sub_epi32(q, c.zero)));
}

struct U8 {
  static constexpr int kBytes = 1;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m512 v[4]) {
    for (int i = 0; i < 4; ++i)
      v[i] =
          dequantise(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i))), c);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m512 v[4]) {
    __m512i level[4];
    divide(v, c, level);
    const auto words = [&](int i) {
      return _mm512_adds_epi16(_mm512_packs_epi32(level[i], level[i + 1]), c.zero16);
    };
    // Packing works within 128-bit quarters; this puts the groups of four back in order.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    put<kStream>(p, 0, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words(0), words(2))));
  }
};

inline __m512i load16(const std::byte* p) {
  return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

struct U16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m512 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = dequantise(load16(p + 32 * i), c);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m512 v[4]) {
    const auto level = [&](int i) { return _mm512_add_epi32(divide(v[i], c), c.zero); };
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    for (int i = 0; i < 2; ++i)
      put<kStream>(p, i,
                   _mm512_permutexvar_epi64(order, _mm512_packus_epi32(level(2 * i), level(2 * i + 1))));
  }
};

struct S16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m512 v[4]) {
    for (int i = 0; i < 4; ++i)
      v[i] = dequantise(
          _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32 * i))), c);
  }
  static inline __m512i pack(__m512i a, __m512i b) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), _mm512_packs_epi32(a, b));
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m512 v[4]) {
    const auto level = [&](int i) { return _mm512_add_epi32(divide(v[i], c), c.zero); };
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack(level(2 * i), level(2 * i + 1)));
  }
};

// Targets of s16, and s16 as a target, where the source's scale already is ratio_of(): steps are rounded, not
// divided.
struct U8Steps : U8 {
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m512 v[4]) {
    const auto words = [&](int i) {
      return _mm512_adds_epi16(_mm512_packs_epi32(_mm512_cvtps_epi32(v[i]), _mm512_cvtps_epi32(v[i + 1])),
                               c.zero16);
    };
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    put<kStream>(p, 0, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words(0), words(2))));
  }
};
struct S16Steps : S16 {
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m512 v[4]) {
    const auto level = [&](int i) { return _mm512_add_epi32(_mm512_cvtps_epi32(v[i]), c.zero); };
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack(level(2 * i), level(2 * i + 1)));
  }
};
template <class To>
constexpr bool kSteps = std::is_same_v<To, U8Steps> || std::is_same_v<To, S16Steps>;

// Not vcvtneps2bf16: that instruction flushes denormals.
struct BFloat16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = true;
  static inline void load(const std::byte* p, const Constants&, __m512 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm512_castsi512_ps(_mm512_slli_epi32(load16(p + 32 * i), 16));
  }
  // The result in the upper half of each element.
  template <bool kNan>
  static inline __m512i round(__m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    if constexpr (!kNan) return rounded;
    return _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), bits,
                                _mm512_set1_epi32(0x400000));
  }
  template <bool kStream, bool kNan>
  static inline void store(std::byte* p, const Constants&, const __m512 v[4]) {
    // Words 1, 3, 5, ... of two vectors.
    const __m512i upper =
        _mm512_setr_epi32(0x30001, 0x70005, 0xb0009, 0xf000d, 0x130011, 0x170015, 0x1b0019, 0x1f001d,
                          0x230021, 0x270025, 0x2b0029, 0x2f002d, 0x330031, 0x370035, 0x3b0039, 0x3f003d);
    for (int i = 0; i < 2; ++i)
      put<kStream>(p, i, _mm512_permutex2var_epi16(round<kNan>(v[2 * i]), upper, round<kNan>(v[2 * i + 1])));
  }
};

template <class To>
Constants source_constants(Quant in, Quant out) {
  Constants c = constants(in);
  if constexpr (kSteps<To>) c.scale = _mm512_set1_ps(ratio_of(in, out));
  return c;
}

// Whole steps, and where they end.
template <class From, class To, bool kStream>
ptrdiff_t steps(const std::byte* in, std::byte* out, ptrdiff_t count, const Constants& from,
                const Constants& to) {
  __m512 v[4];
  ptrdiff_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    From::load(in + i * From::kBytes, from, v);
    To::template store<kStream, From::kMayBeNan>(out + i * To::kBytes, to, v);
  }
  return i;
}

template <class From, class To>
void flat(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant, Quant out_quant) {
  const Constants from = source_constants<To>(in_quant, out_quant), to = constants(out_quant);
  const ptrdiff_t i = steps<From, To, false>(in, out, count, from, to);
  if (i == count) return;
  __m512 v[4];
  alignas(64) std::byte head[kStep * From::kBytes] = {}, tail[kStep * To::kBytes];
  std::memcpy(head, in + i * From::kBytes, size_t(count - i) * From::kBytes);
  From::load(head, from, v);
  To::template store<false, From::kMayBeNan>(tail, to, v);
  std::memcpy(out + i * To::kBytes, tail, size_t(count - i) * To::kBytes);
}

// Up to the first whole cache line and after the last one as flat().
template <class From, class To>
void stream(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant, Quant out_quant) {
  const ptrdiff_t before = ptrdiff_t(-reinterpret_cast<uintptr_t>(out) % kLine);
  if (before % To::kBytes != 0) return flat<From, To>(in, out, count, in_quant, out_quant);
  const ptrdiff_t first = before / To::kBytes < count ? before / To::kBytes : count;
  flat<From, To>(in, out, first, in_quant, out_quant);
  const ptrdiff_t end =
      first + steps<From, To, true>(in + first * From::kBytes, out + first * To::kBytes, count - first,
                                    source_constants<To>(in_quant, out_quant), constants(out_quant));
  flat<From, To>(in + end * From::kBytes, out + end * To::kBytes, count - end, in_quant, out_quant);
  _mm_sfence();  // before anybody is told that the row is there
}

}  // namespace

// A local static: nothing compiled for AVX-512 may run before somebody asked for it.
const RowTable& rows_avx512() {
#define FYE_ROW(loop, From) \
  { loop<From, Float>, loop<From, BFloat16>, loop<From, U8>, loop<From, U16>, loop<From, S16> }
#define FYE_ROWS(loop)                                                                               \
  {                                                                                                  \
    FYE_ROW(loop, Float), FYE_ROW(loop, BFloat16),                                                   \
        {loop<U8, Float>, loop<U8, BFloat16>, loop<U8, U8>, loop<U8, U16>, loop<U8, S16Steps>},      \
        FYE_ROW(loop, U16), {                                                                        \
      loop<S16, Float>, loop<S16, BFloat16>, loop<S16, U8Steps>, loop<S16, U16>, loop<S16, S16Steps> \
    }                                                                                                \
  }
  static const RowTable table = {"avx512",
                                 Isa::avx512,
                                 FYE_ROWS(flat),
                                 FYE_ROWS(stream),
                                 {rows_avx2().pitch_3_to_4[0], rows_avx2().pitch_3_to_4[1]},
                                 {rows_avx2().pitch_4_to_3[0], rows_avx2().pitch_4_to_3[1]}};
#undef FYE_ROWS
#undef FYE_ROW
  return table;
}

}  // namespace fye
