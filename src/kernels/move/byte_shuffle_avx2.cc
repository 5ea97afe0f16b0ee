#include <immintrin.h>

#include "kernels/move/byte_shuffle.h"

namespace fye {
namespace {

inline __m128i load16(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

template <int kLoads>
void run(const ByteShuffle& shuffle, const std::byte* in, ptrdiff_t in_step, std::byte* out,
         ptrdiff_t out_step, ptrdiff_t count) {
  __m128i pick[kLoads];
  ptrdiff_t offset[kLoads];
  for (int k = 0; k < kLoads; ++k) {
    pick[k] = load16(shuffle.load[k].pick);
    offset[k] = shuffle.load[k].offset;
  }
  const __m128i fill = load16(shuffle.fill);
  for (ptrdiff_t i = 0; i < count; ++i, in += in_step, out += out_step) {
    __m128i v = fill;
    for (int k = 0; k < kLoads; ++k) v = _mm_or_si128(v, _mm_shuffle_epi8(load16(in + offset[k]), pick[k]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), v);
  }
}

}  // namespace

void shuffle_pixels_avx2(const ByteShuffle& shuffle, const std::byte* in, ptrdiff_t in_step, std::byte* out,
                         ptrdiff_t out_step, ptrdiff_t count) {
  switch (shuffle.loads) {
    case 1:
      return run<1>(shuffle, in, in_step, out, out_step, count);
    case 2:
      return run<2>(shuffle, in, in_step, out, out_step, count);
    case 3:
      return run<3>(shuffle, in, in_step, out, out_step, count);
    default:
      return run<4>(shuffle, in, in_step, out, out_step, count);
  }
}

}  // namespace fye
