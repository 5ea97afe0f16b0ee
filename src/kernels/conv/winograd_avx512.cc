// Winograd convolution on 512-bit vectors, f32.
#include "kernels/conv/f32_dot16-inl.h"
#include "kernels/conv/winograd-inl.h"

namespace fye {

const WinogradCode kWinogradF32Avx512 = {.name = "winograd-avx512",
                                         .products = &kDirectF32Avx512,
                                         .tile = 4,
                                         .input = winograd_input<Float16>,
                                         .multiply = direct_row<Sums<F32Dot>>,
                                         .output = winograd_output<Float16>};

}  // namespace fye
