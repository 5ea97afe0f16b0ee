// Winograd convolution on 512-bit vectors, f32.
#include "kernels/conv/f32_dot16-inl.h"
#include "kernels/conv/winograd_float-inl.h"

namespace fye {

const WinogradCode kWinogradF32Avx512 = {.name = "winograd-avx512",
                                         .element_bytes = 4,
                                         .products = {.name = "winograd-avx512",
                                                      .numbers = Numbers::f32,
                                                      .lanes = 16,
                                                      .max_vectors = 4,
                                                      .row = direct_row<Sums<F32Dot>>},
                                         .pixels = F32Dot::kPixels,
                                         .input = winograd_input<Float16>,
                                         .output = winograd_output<WinogradFloat<Float16>>};

}  // namespace fye
