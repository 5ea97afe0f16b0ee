// Fidelity: how far a plan's output is from the float network's (design.md, section 7).
#pragma once

#include "kernels/map.h"

namespace fye {

// Mean squared distance between two outputs of the same region and channels, in grey levels squared ("msef"):
// each value x becomes clamp(x / s + z, 0, 255) on the picture's grid, unrounded. Maps are f32, bf16, u8 or
// u16, each with its own quant. NaN gives NaN. The same sum in the same order every time.
double msef(const Map& a, const Map& b, const Quant& picture);

}  // namespace fye
