// Variants that exist for the tests alone.
#pragma once

#include <span>

#include "kernels/conv/conv.h"

namespace fye {

// Kernels for instructions that few machines have, in a form that any AVX-512 machine runs: AVX-VNNI in
// AVX-512's encoding, and AMX tiles on a software model of the tile instructions (slow). Never chosen by
// prepare_conv.
std::span<const ConvVariant> conv_test_variants();

}  // namespace fye
