// Winograd convolution on 256-bit vectors, f32.
#include "kernels/conv/f32_dot8-inl.h"
#include "kernels/conv/winograd-inl.h"

namespace fye {

const WinogradCode kWinogradF32Avx2 = {.name = "winograd-avx2",
                                       .products = &kDirectF32Avx2,
                                       .tile = 4,
                                       .input = winograd_input<Float8>,
                                       .multiply = direct_row<Sums<F32Dot>>,
                                       .output = winograd_output<Float8>};

}  // namespace fye
