#include <immintrin.h>

#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {

int64_t peak_int8_avx2vnni(int64_t rounds) {
  const __m256i x = opaque(_mm256_setzero_si256()), w = opaque(_mm256_setzero_si256());
  return run_chains(rounds, 32, x, [=](__m256i acc) { return _mm256_dpbusd_avx_epi32(acc, x, w); });
}

}  // namespace fye
