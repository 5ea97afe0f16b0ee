// Direct convolution, int8, for AVX-VNNI.
#include "kernels/conv/vnni256-inl.h"

namespace fye {
namespace {

struct Vex {
  static __m256i dot(__m256i acc, __m256i u8, __m256i s8) { return _mm256_dpbusd_avx_epi32(acc, u8, s8); }
};

}  // namespace

const DirectCode kDirectInt8Avx2Vnni = {.name = "direct-avx2vnni",
                                        .numbers = Numbers::int8,
                                        .lanes = 8,
                                        .max_vectors = 4,
                                        .row = direct_row<Vnni256Dot<Vex>>,
                                        .narrow = narrow_row<Vnni256Dot<Vex>>};

}  // namespace fye
