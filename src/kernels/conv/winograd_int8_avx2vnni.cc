// Winograd convolution, int8, by AVX-VNNI's vpdpwssd.
#include "kernels/conv/winograd_int8_256-inl.h"

namespace fye {
namespace {

struct Multiply {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) { return _mm256_dpwssd_avx_epi32(acc, x, w); }
};

}  // namespace

constinit const WinogradCode kWinogradInt8Avx2Vnni = winograd_int8_256<Multiply>("winograd-avx2vnni", 32);

}  // namespace fye
