// Bytes of one scale as bytes of another, for what brings u8 maps of several scales together.
#pragma once

#include <cstddef>

#include "graph/tensor.h"

namespace fye {

// count levels q of `from`, each as sat(rne((q - z) * (s_in / s_out)) + z_out) of `to`: requantised() of
// convert/number.h, bit for bit, where s_in / s_out is finite. Touches not one byte beyond them.
using RequantiseBytes = void(const std::byte* in, std::byte* out, ptrdiff_t count, Quant from, Quant to);

RequantiseBytes requantise_bytes_avx2;

}  // namespace fye
