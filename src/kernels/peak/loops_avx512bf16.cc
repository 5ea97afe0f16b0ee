#include <immintrin.h>

#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {

int64_t peak_bf16_avx512(int64_t rounds) {
  const __m512 zero = opaque(_mm512_setzero_ps());
  const __m512bh x = __m512bh(zero), w = __m512bh(zero);
  return run_chains(rounds, 32, zero, [=](__m512 acc) { return _mm512_dpbf16_ps(acc, x, w); });
}

}  // namespace fye
