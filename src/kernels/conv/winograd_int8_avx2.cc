// Winograd convolution, int8, by AVX2's vpmaddwd.
#include "kernels/conv/winograd_int8_256-inl.h"

namespace fye {
namespace {

struct Multiply {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w));
  }
};

}  // namespace

constinit const WinogradCode kWinogradInt8Avx2 = winograd_int8_256<Multiply>("winograd-avx2", 12);

}  // namespace fye
