// Winograd convolution on 256-bit vectors, f32.
#include "kernels/conv/f32_dot8-inl.h"
#include "kernels/conv/winograd_float-inl.h"

namespace fye {

const WinogradCode kWinogradF32Avx2 = {.name = "winograd-avx2",
                                       .element_bytes = 4,
                                       .products = {.name = "winograd-avx2",
                                                    .numbers = Numbers::f32,
                                                    .lanes = 8,
                                                    .max_vectors = 4,
                                                    .row = direct_row<Sums<F32Dot>>},
                                       .pixels = F32Dot::kPixels,
                                       .input = winograd_input<Float8>,
                                       .output = winograd_output<WinogradFloat<Float8>>};

}  // namespace fye
