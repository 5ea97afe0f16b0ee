#include <immintrin.h>

#include "kernels/convert/number.h"
#include "kernels/move/requantise.h"

namespace fye {

void requantise_bytes_avx2(const std::byte* in, std::byte* out, ptrdiff_t count, Quant from, Quant to) {
  const __m256i zero = _mm256_set1_epi32(from.zero), out_zero = _mm256_set1_epi32(to.zero);
  const __m256 ratio = _mm256_set1_ps(from.scale / to.scale);
  // As saturate() has it: cut off before rounding, so that every step fits 32 bits.
  const __m256 least = _mm256_set1_ps(float(-to.zero)), most = _mm256_set1_ps(float(255 - to.zero));
  const auto eight = [&](const std::byte* p) {
    const __m256i q = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256 steps = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(q, zero)), ratio);
    const __m256 cut = _mm256_min_ps(_mm256_max_ps(steps, least), most);
    return _mm256_add_epi32(_mm256_cvtps_epi32(cut), out_zero);
  };
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  ptrdiff_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i low = _mm256_packus_epi32(eight(in + i), eight(in + i + 8)),
                  high = _mm256_packus_epi32(eight(in + i + 16), eight(in + i + 24));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order));
  }
  for (; i < count; ++i) out[i] = std::byte(requantised<uint8_t>(int(in[i]), from, to));
}

}  // namespace fye
