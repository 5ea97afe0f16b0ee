#include <immintrin.h>

#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {

int64_t peak_f32_avx512(int64_t rounds) {
  const __m512 x = opaque(_mm512_setzero_ps()), w = opaque(_mm512_setzero_ps());
  return run_chains(rounds, 16, x, [=](__m512 acc) { return _mm512_fmadd_ps(x, w, acc); });
}

int64_t peak_int8_avx512(int64_t rounds) {
  const __m512i x = opaque(_mm512_setzero_si512()), w = opaque(_mm512_setzero_si512());
  return run_chains(rounds, 64, x, [=](__m512i acc) { return _mm512_dpbusd_epi32(acc, x, w); });
}

}  // namespace fye
