// Winograd convolution on the 128-bit vectors of SSSE3 or NEON.
#include "kernels/conv/portable.h"
#include "kernels/conv/portable_float-inl.h"
#include "kernels/conv/portable_int8-inl.h"
#include "kernels/conv/winograd_float-inl.h"
#include "kernels/conv/winograd_whole-inl.h"

namespace fye {
namespace {

struct Ints4 {
  using Vector = hn::Vec<S32x4>;
  static constexpr int kLanes = 4;

  static Vector widen(const std::byte* p) {
    const hn::Half<U8x16> eight;
    return ints(hn::PromoteTo(S16x8(), hn::LoadU(eight, reinterpret_cast<const uint8_t*>(p))));
  }
  static Vector add16(Vector a, Vector b) { return ints(hn::Add(words(a), words(b))); }
  static Vector subtract16(Vector a, Vector b) { return ints(hn::Sub(words(a), words(b))); }
  static Vector times4(Vector a) { return ints(hn::ShiftLeft<2>(words(a))); }
  static Vector add(Vector a, Vector b) { return hn::Add(a, b); }
  static Vector subtract(Vector a, Vector b) { return hn::Sub(a, b); }
  template <int kBy>
  static Vector shift_left(Vector a) {
    return hn::ShiftLeft<kBy>(a);
  }
  template <int kBy>
  static Vector shift_right(Vector a) {
    return hn::ShiftRight<kBy>(a);
  }
  static Vector multiply(Vector a, int32_t b) { return hn::Mul(a, hn::Set(S32x4(), b)); }
  static Vector load(const std::byte* p) { return hn::LoadU(S32x4(), reinterpret_cast<const int32_t*>(p)); }
  static void store(std::byte* p, Vector x) { hn::StoreU(x, S32x4(), reinterpret_cast<int32_t*>(p)); }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }

  static hn::Vec<S16x8> words(Vector a) { return hn::BitCast(S16x8(), a); }
  static Vector ints(hn::Vec<S16x8> a) { return hn::BitCast(S32x4(), a); }
};

// Adds the products of pairs of 16-bit channels to 32-bit lanes.
struct Int16Dot4 : Sums4<S32x4> {
  static constexpr const int* kPixels = kManyRegisters ? kPixels32 : kPixels16;
  static constexpr bool kHasRest = false;

  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    Vector held[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) held[v] = Ints4::load(weights + v * 16);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = hn::Set(S32x4(), group_at<int32_t>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        Vector upper = hn::Zero(S32x4());
        const Vector lower = hn::ReorderWidenMulAccumulate(S32x4(), Ints4::words(x), Ints4::words(held[v]),
                                                           hn::Zero(S32x4()), upper);
        acc[p][v] = hn::Add(acc[p][v], hn::RearrangeToOddPlusEven(lower, upper));
      }
    }
  }
};

}  // namespace

const WinogradCode kWinogradF32Portable = {.name = "winograd-portable",
                                           .element_bytes = 4,
                                           .products = {.name = "winograd-portable",
                                                        .numbers = Numbers::f32,
                                                        .lanes = 4,
                                                        .max_vectors = 4,
                                                        .row = direct_row<Sums<F32Dot4>>},
                                           .pixels = F32Dot4::kPixels,
                                           .input = winograd_input<Float4>,
                                           .output = winograd_output<WinogradFloat<Float4>>};
const WinogradCode kWinogradInt8Portable = {.name = "winograd-portable",
                                            .element_bytes = 2,
                                            .products = {.name = "winograd-portable",
                                                         .numbers = Numbers::int8,
                                                         .lanes = 4,
                                                         .max_vectors = 2,  // six tiles share their weights
                                                         .row = direct_row<Sums<Int16Dot4>>},
                                            .pixels = Int16Dot4::kPixels,
                                            .input = whole_input<Ints4>,
                                            .output = winograd_output<WinogradWhole<Ints4>>};

}  // namespace fye
