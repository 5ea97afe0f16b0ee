// Direct convolution on the 128-bit vectors of SSSE3 or NEON: f32 by multiply and add, int8 by 16-bit
// products summed in pairs to 32 bits.
#include "kernels/conv/narrow-inl.h"
#include "kernels/conv/portable.h"
#include "kernels/conv/portable_float-inl.h"
#include "kernels/conv/portable_int8-inl.h"

namespace fye {
namespace {

// Four 32-bit groups as 16-bit numbers: channels 0 and 2, 1 and 3 of each.
struct Widened {
  hn::Vec<S16x8> even, odd;
};

// The products, at most 255 * 128 in size, are summed in pairs to 32 bits, where sums are exact modulo 2^32.
struct Int8Dot4 : Sums4<S32x4> {
  static constexpr const int* kPixels = kManyRegisters ? kPixels32 : kPixels16;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return hn::LoadU(S32x4(), static_cast<const int32_t*>(e.start) + slot);
  }
  static Widened levels(Vector u8) {
    const auto words = hn::BitCast(S16x8(), u8);
    const hn::RebindToUnsigned<S16x8> bits;
    return {hn::And(words, hn::Set(S16x8(), 255)),
            hn::BitCast(S16x8(), hn::ShiftRight<8>(hn::BitCast(bits, words)))};
  }
  static Widened weights_at(const std::byte* p) {
    const auto words = hn::Load(S16x8(), reinterpret_cast<const int16_t*>(p));
    return {hn::ShiftRight<8>(hn::ShiftLeft<8>(words)), hn::ShiftRight<8>(words)};
  }
  static Vector add_products(Vector acc, const Widened& x, const Widened& w) {
    Vector upper = hn::Zero(S32x4());
    Vector lower = hn::ReorderWidenMulAccumulate(S32x4(), x.even, w.even, hn::Zero(S32x4()), upper);
    lower = hn::ReorderWidenMulAccumulate(S32x4(), x.odd, w.odd, lower, upper);
    return hn::Add(acc, hn::RearrangeToOddPlusEven(lower, upper));
  }
  static Widened broadcast(const std::byte* p) { return levels(hn::Set(S32x4(), group_at<int32_t>(p))); }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    if constexpr (P > V) {  // keep the smaller side in registers
      Widened held[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) held[v] = weights_at(weights + v * 16);
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) {
        const Widened x = broadcast(in[p]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = add_products(acc[p][v], x, held[v]);
      }
    } else {
      Widened x[P];
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) x[p] = broadcast(in[p]);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Widened held = weights_at(weights + v * 16);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) acc[p][v] = add_products(acc[p][v], x[p], held);
      }
    }
  }
  static Vector inputs(const std::byte* p) {
    return hn::BitCast(S32x4(), hn::LoadU(U8x16(), reinterpret_cast<const uint8_t*>(p)));
  }
  static Vector first_inputs(const std::byte* p, int) { return inputs(p); }  // the weights beyond are zero
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return add_products(acc, levels(inputs), weights_at(weights));
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace

const DirectCode kDirectF32Portable = {.name = "direct-portable",
                                       .numbers = Numbers::f32,
                                       .lanes = 4,
                                       .max_vectors = 4,
                                       .row = direct_row<F32Dot4>,
                                       .narrow = narrow_row<F32Dot4>};
const DirectCode kDirectInt8Portable = {.name = "direct-portable",
                                        .numbers = Numbers::int8,
                                        .lanes = 4,
                                        .max_vectors = 4,
                                        .row = direct_row<Int8Dot4>,
                                        .narrow = narrow_row<Int8Dot4>};

}  // namespace fye
