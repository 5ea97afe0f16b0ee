// Depthwise convolution on 256-bit vectors.
#include "kernels/conv/depthwise-inl.h"
#include "kernels/conv/f32_dot8-inl.h"
#include "kernels/conv/int8_epilogue_avx2-inl.h"

namespace fye {
namespace {

struct F32 : DepthwiseFloat<Float8> {
  static Vector load(const std::byte* p) { return Float8::load(reinterpret_cast<const float*>(p)); }
};

struct Int8 : DepthwiseFloat<Float8> {
  static constexpr int kElement = 1;
  static Vector load(const std::byte* p) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static __m256i sum(Vector acc, const DirectEpilogue& e, int slot) {
    const __m256i start =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const int32_t*>(e.start) + slot));
    return _mm256_add_epi32(_mm256_cvtps_epi32(acc), start);
  }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace

constinit const DirectCode kDepthwiseF32Avx2 = depthwise_code<F32>("depthwise-avx2", Numbers::f32);
constinit const DirectCode kDepthwiseInt8Avx2 = depthwise_code<Int8>("depthwise-avx2", Numbers::int8);

}  // namespace fye
