// Depthwise convolution on 512-bit vectors.
#include "kernels/conv/depthwise-inl.h"
#include "kernels/conv/f32_dot16-inl.h"
#include "kernels/conv/int8_epilogue_avx512-inl.h"

namespace fye {
namespace {

struct F32 : DepthwiseFloat<Float16> {
  static Vector load(const std::byte* p) { return Float16::load(reinterpret_cast<const float*>(p)); }
};

struct Int8 : DepthwiseFloat<Float16> {
  static constexpr int kElement = 1;
  static Vector load(const std::byte* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static __m512i sum(Vector acc, const DirectEpilogue& e, int slot) {
    return _mm512_add_epi32(_mm512_cvtps_epi32(acc),
                            _mm512_loadu_si512(static_cast<const int32_t*>(e.start) + slot));
  }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace

constinit const DirectCode kDepthwiseF32Avx512 = depthwise_code<F32>("depthwise-avx512", Numbers::f32);
constinit const DirectCode kDepthwiseInt8Avx512 = depthwise_code<Int8>("depthwise-avx512", Numbers::int8);

}  // namespace fye
