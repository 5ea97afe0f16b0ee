// Direct convolution on 256-bit vectors: f32 by FMA, int8 by vpmaddubsw on weight pairs that can't saturate
// it (pack.h).
#include <immintrin.h>

#include "kernels/conv/direct-inl.h"
#include "kernels/conv/f32_dot8-inl.h"
#include "kernels/conv/int8_epilogue_avx2-inl.h"
#include "kernels/conv/narrow-inl.h"
#include "kernels/conv/vector8-inl.h"

namespace fye {
namespace {

struct Int8Dot : IntSums8 {
  static constexpr int kLanes = 8;
  static constexpr const int* kPixels = kPixels16;
  static constexpr bool kHasRest = true;

  static Vector start(const DirectEpilogue& e, int slot) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(static_cast<const int32_t*>(e.start) + slot));
  }
  static Vector broadcast(const std::byte* p) { return _mm256_set1_epi32(group_at<int>(p)); }
  static Vector inputs(const std::byte* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Vector first_inputs(const std::byte* p, int) { return inputs(p); }  // the weights beyond are zero
  // Assembly keeps the weights a memory operand: held in registers for several pixels they would push
  // accumulators out.
  static Vector dot(Vector acc, Vector x, const std::byte* weights) {
    Vector pairs;
    asm("vpmaddubsw %2, %1, %0" : "=x"(pairs) : "x"(x), "m"(*reinterpret_cast<const Vector*>(weights)));
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  // Even bytes, as 16-bit numbers, times 16-bit weights.
  static Vector rest(Vector acc, Vector x, const std::byte* weights) {
    const Vector even = _mm256_and_si256(x, _mm256_set1_epi16(255));
    return _mm256_add_epi32(
        acc, _mm256_madd_epi16(even, _mm256_load_si256(reinterpret_cast<const Vector*>(weights))));
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = broadcast(in[p]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = dot(acc[p][v], x, weights + v * 32);
    }
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace

const DirectCode kDirectF32Avx2 = {.name = "direct-avx2",
                                   .numbers = Numbers::f32,
                                   .lanes = 8,
                                   .max_vectors = 4,
                                   .row = direct_row<F32Dot>,
                                   .narrow = narrow_row<F32Dot>};
const DirectCode kDirectInt8Avx2 = {.name = "direct-avx2",
                                    .numbers = Numbers::int8,
                                    .lanes = 8,
                                    .max_vectors = 4,
                                    .split_pairs = true,
                                    .row = direct_row<Int8Dot>,
                                    .narrow = narrow_row<Int8Dot>};

}  // namespace fye
