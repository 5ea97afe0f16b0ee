// Depthwise convolution on 512-bit vectors with bf16 in memory.
#include "kernels/conv/bf16_epilogue-inl.h"
#include "kernels/conv/depthwise-inl.h"
#include "kernels/conv/f32_dot16-inl.h"

namespace fye {
namespace {

struct Bf16 : DepthwiseFloat<Bf16x16> {
  static Vector load(const std::byte* p) {
    return Bf16x16::widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
};

}  // namespace

constinit const DirectCode kDepthwiseBf16Avx512 = depthwise_code<Bf16>("depthwise-avx512", Numbers::bf16);

}  // namespace fye
