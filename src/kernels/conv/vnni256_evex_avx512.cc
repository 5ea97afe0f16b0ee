// The AVX-VNNI kernels in AVX-512's encoding, so that machines without AVX-VNNI test them; never chosen.
#include "kernels/conv/vnni256-inl.h"
#include "kernels/conv/winograd_int8_256-inl.h"

namespace fye {
namespace {

struct Evex {
  static __m256i dot(__m256i acc, __m256i u8, __m256i s8) { return _mm256_dpbusd_epi32(acc, u8, s8); }
};

struct EvexPairs {
  static __m256i dot(__m256i acc, __m256i x, __m256i w) { return _mm256_dpwssd_epi32(acc, x, w); }
};

}  // namespace

const DirectCode kDirectInt8Evex256 = {.name = "direct-evex256",
                                       .numbers = Numbers::int8,
                                       .lanes = 8,
                                       .max_vectors = 4,
                                       .row = direct_row<Vnni256Dot<Evex>>,
                                       .narrow = narrow_row<Vnni256Dot<Evex>>};
constinit const WinogradCode kWinogradInt8Evex256 = winograd_int8_256<EvexPairs>("winograd-evex256", 32);

}  // namespace fye
