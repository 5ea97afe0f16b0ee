// Winograd convolution on 512-bit vectors with bf16 in memory: what is read is widened, transforms, products
// and sums are f32. Faster than the direct form by vdpbf16ps, which has twice the products a cycle, but four
// times as many to make.
#include "kernels/conv/bf16_epilogue-inl.h"
#include "kernels/conv/f32_dot16-inl.h"
#include "kernels/conv/winograd_float-inl.h"

namespace fye {
namespace {

struct Bf16Element {
  static constexpr ptrdiff_t kBytes = 2;
  static __m512 load(const std::byte* p) {
    return Bf16x16::widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
};

}  // namespace

const WinogradCode kWinogradBf16Avx512 = {.name = "winograd-avx512",
                                          .element_bytes = 4,
                                          .products = {.name = "winograd-avx512",
                                                       .numbers = Numbers::bf16,
                                                       .lanes = 16,
                                                       .max_vectors = 4,
                                                       .row = direct_row<Sums<F32Dot>>},
                                          .pixels = F32Dot::kPixels,
                                          .input = winograd_input<Float16, Bf16Element>,
                                          .output = winograd_output<WinogradFloat<Bf16x16>>};

}  // namespace fye
