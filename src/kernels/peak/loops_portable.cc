#include "kernels/highway128-inl.h"
#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {
namespace {

using Floats = hn::Vec<F32x4>;
using Sums = hn::Vec<S32x4>;
using Words = hn::Vec<S16x8>;

}  // namespace

int64_t peak_f32_portable(int64_t rounds) {
  const Floats x{opaque(hn::Zero(F32x4()).raw)};
  // Without FMA the product is one of its own, which must not be taken out of the loop.
  return run_chains(rounds, 4, x.raw, [x, w = x](auto acc) mutable {
    w = Floats{opaque(w.raw)};
    return hn::MulAdd(x, w, Floats{acc}).raw;
  });
}

int64_t peak_int16_portable(int64_t rounds) {
  const Words x{opaque(hn::Zero(S16x8()).raw)};
  return run_chains(rounds, 8, hn::Zero(S32x4()).raw, [x, w = x](auto acc) mutable {
    w = Words{opaque(w.raw)};
    Sums upper = hn::Zero(S32x4());
    const Sums lower = hn::ReorderWidenMulAccumulate(S32x4(), x, w, hn::Zero(S32x4()), upper);
    return hn::Add(Sums{acc}, hn::RearrangeToOddPlusEven(lower, upper)).raw;
  });
}

}  // namespace fye
