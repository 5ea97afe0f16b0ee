#include <immintrin.h>

#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {

int64_t peak_f32_avx2(int64_t rounds) {
  const __m256 x = opaque(_mm256_setzero_ps()), w = opaque(_mm256_setzero_ps());
  return run_chains(rounds, 8, x, [=](__m256 acc) { return _mm256_fmadd_ps(x, w, acc); });
}

// The sequence of the convolution kernel: u8 x s8 pairs to 16 bits, pairs of those to 32, add. The
// accumulator stands in for the inputs, so that no product can be moved out of the loop.
int64_t peak_int8_maddubs_avx2(int64_t rounds) {
  const __m256i w = opaque(_mm256_setzero_si256()), ones = opaque(_mm256_set1_epi16(1));
  return run_chains(rounds, 32, w, [=](__m256i acc) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(acc, w), ones));
  });
}

int64_t peak_int16_maddwd_avx2(int64_t rounds) {
  const __m256i w = opaque(_mm256_setzero_si256());
  return run_chains(rounds, 16, w,
                    [=](__m256i acc) { return _mm256_add_epi32(acc, _mm256_madd_epi16(acc, w)); });
}

}  // namespace fye
