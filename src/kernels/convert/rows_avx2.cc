// The converter on AVX2: 32 elements a step as four vectors of float, whatever the types on either side.
//
// The true division of the contract is slower than all the rest together, so levels of 8 bits come from
// y = x * (1 / s) wherever that can't make a difference. Both y and the correctly rounded quotient lie within
// 2^-23 of x / s, relatively (y up to 2^-22 for scales from 2^126 on, where x / s is at most 4), so as long
// as they are below 512 they are less than 1.5 * 2^-14 < kDoubt = 2^-13 apart: if y is at least that far from
// the middle between two whole numbers, both round to the same one. From 512 on both saturate, whatever the
// zero point. All other elements, NaN and what doesn't fit into an integer show the same way, by a distance
// from the rounded y of more than 1/2 - kDoubt; a step that has one is divided. Scales that are powers of two
// leave no doubt. Tested by convert_test.cc, near every middle.
//
// The last, partial step runs on copies in local arrays, so that no byte beyond the row is touched and every
// element goes through the same instructions. Everything here has internal linkage: see number.h.
#include <immintrin.h>

#include <cstring>
#include <type_traits>

#include "kernels/convert/row_table.h"

namespace fye {
namespace {

constexpr int kStep = 32;

struct Constants {
  __m256 scale, inverse, certain;
  __m256i zero, zero16;
};
inline Constants constants(Quant q) {
  const Reciprocal r = reciprocal(q.scale);
  return {_mm256_set1_ps(q.scale), _mm256_set1_ps(r.inverse), _mm256_set1_ps(r.certain),
          _mm256_set1_epi32(q.zero), _mm256_set1_epi16(short(q.zero))};
}

// Whole vectors, past the caches if the target is too large for them; then it is aligned.
template <bool kStream>
inline void put(std::byte* p, int vector, __m256i v) {
  __m256i* to = reinterpret_cast<__m256i*>(p) + vector;
  if constexpr (kStream)
    _mm256_stream_si256(to, v);
  else
    _mm256_storeu_si256(to, v);
}

// The types: load() and store() a step. kMayBeNan: whether load() can give NaN; levels times a scale can't.
struct Float {
  static constexpr int kBytes = 4;
  static constexpr bool kMayBeNan = true;
  static inline void load(const std::byte* p, const Constants&, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(p) + 8 * i);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants&, const __m256 v[4]) {
    for (int i = 0; i < 4; ++i) put<kStream>(p, i, _mm256_castps_si256(v[i]));
  }
};

// rne(v / scale), beyond the limit some level that saturates whatever the zero point; 0 for NaN.
inline __m256i divide(__m256 v, const Constants& c) {
  const __m256 limit = _mm256_set1_ps(kQuotientLimit);
  v = _mm256_div_ps(v, c.scale);
  v = _mm256_and_ps(v, _mm256_cmp_ps(v, v, _CMP_ORD_Q));
  v = _mm256_max_ps(_mm256_min_ps(v, limit), _mm256_sub_ps(_mm256_setzero_ps(), limit));
  return _mm256_cvtps_epi32(v);  // rounds half to even
}
// The same for levels of 8 bits.
inline void divide(const __m256 v[4], const Constants& c, __m256i level[4]) {
  __m256i distance = _mm256_setzero_si256();  // as bits, whose order is that of the numbers, NaN last
  for (int i = 0; i < 4; ++i) {
    const __m256 y = _mm256_mul_ps(v[i], c.inverse);
    level[i] = _mm256_cvtps_epi32(y);
    const __m256 d = _mm256_sub_ps(y, _mm256_cvtepi32_ps(level[i]));
    distance =
        _mm256_max_epi32(distance, _mm256_and_si256(_mm256_castps_si256(d), _mm256_set1_epi32(0x7fffffff)));
  }
  if (_mm256_movemask_epi8(_mm256_cmpgt_epi32(distance, _mm256_castps_si256(c.certain)))) [[unlikely]]
    for (int i = 0; i < 4; ++i) level[i] = divide(v[i], c);
}
inline __m256 dequantise(__m256i q, const Constants& c) {
  return _mm256_mul_ps(c.scale, _mm256_cvtepi32_ps(_mm256_sub_epi32(q, c.zero)));
}

struct U8 {
  static constexpr int kBytes = 1;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m256 v[4]) {
    for (int i = 0; i < 4; ++i)
      v[i] =
          dequantise(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 8 * i))), c);
  }
  // Saturates on the way to 16 bits, in the addition and on the way to 8: no step can wrap, so the last one
  // decides.
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    __m256i level[4];
    divide(v, c, level);
    const auto words = [&](int i) {
      return _mm256_adds_epi16(_mm256_packs_epi32(level[i], level[i + 1]), c.zero16);
    };
    // Packing works within 128-bit halves; this puts the groups of four back in order.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    put<kStream>(p, 0, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words(0), words(2)), order));
  }
};

// Two vectors of 32-bit values -> 16 values, saturated to 16 bits without sign.
inline __m256i pack16(__m256i a, __m256i b) {
  return _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8);
}
inline __m256i load16(const std::byte* p) {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

struct U16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = dequantise(load16(p + 16 * i), c);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    const auto level = [&](int i) { return _mm256_add_epi32(divide(v[i], c), c.zero); };
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack16(level(2 * i), level(2 * i + 1)));
  }
};

struct S16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = false;
  static inline void load(const std::byte* p, const Constants& c, __m256 v[4]) {
    for (int i = 0; i < 4; ++i)
      v[i] =
          dequantise(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i))), c);
  }
  static inline __m256i pack(__m256i a, __m256i b) {
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
  }
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    const auto level = [&](int i) { return _mm256_add_epi32(divide(v[i], c), c.zero); };
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack(level(2 * i), level(2 * i + 1)));
  }
};

// Targets of s16, and s16 as a target, where the source's scale already is ratio_of(): steps are rounded, not
// divided.
struct U8Steps : U8 {
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    const auto words = [&](int i) {
      return _mm256_adds_epi16(_mm256_packs_epi32(_mm256_cvtps_epi32(v[i]), _mm256_cvtps_epi32(v[i + 1])),
                               c.zero16);
    };
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    put<kStream>(p, 0, _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words(0), words(2)), order));
  }
};
struct S16Steps : S16 {
  template <bool kStream, bool>
  static inline void store(std::byte* p, const Constants& c, const __m256 v[4]) {
    const auto level = [&](int i) { return _mm256_add_epi32(_mm256_cvtps_epi32(v[i]), c.zero); };
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack(level(2 * i), level(2 * i + 1)));
  }
};
template <class To>
constexpr bool kSteps = std::is_same_v<To, U8Steps> || std::is_same_v<To, S16Steps>;

struct BFloat16 {
  static constexpr int kBytes = 2;
  static constexpr bool kMayBeNan = true;
  static inline void load(const std::byte* p, const Constants&, __m256 v[4]) {
    for (int i = 0; i < 4; ++i) v[i] = _mm256_castsi256_ps(_mm256_slli_epi32(load16(p + 16 * i), 16));
  }
  template <bool kNan>
  static inline __m256i round(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    if constexpr (!kNan) return rounded;
    const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)));
  }
  template <bool kStream, bool kNan>
  static inline void store(std::byte* p, const Constants&, const __m256 v[4]) {
    for (int i = 0; i < 2; ++i) put<kStream>(p, i, pack16(round<kNan>(v[2 * i]), round<kNan>(v[2 * i + 1])));
  }
};

template <class To>
Constants source_constants(Quant in, Quant out) {
  Constants c = constants(in);
  if constexpr (kSteps<To>) c.scale = _mm256_set1_ps(ratio_of(in, out));
  return c;
}

// Whole steps, and where they end.
template <class From, class To, bool kStream>
ptrdiff_t steps(const std::byte* in, std::byte* out, ptrdiff_t count, const Constants& from,
                const Constants& to) {
  __m256 v[4];
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
  __m256 v[4];
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
constexpr RowTable kTable = {
    "avx2", Isa::avx2, FYE_ROWS(flat), FYE_ROWS(stream), {widen<1>, widen<2>}, {narrow<1>, narrow<2>}};
#undef FYE_ROWS
#undef FYE_ROW

}  // namespace

const RowTable& rows_avx2() { return kTable; }

}  // namespace fye
