// MS-SSIM (Wang, Simoncelli, Bovik, Asilomar 2003): SSIM's contrast and structure on five scales, its
// luminance on the coarsest.
#pragma once

#include "quality/score.h"

namespace fye {

// Halved four times and rounded up, 161 pixels become 11, one window of SSIM.
inline constexpr int kMsSsimLeast = (10 << 4) + 1;

// On rounded grey (0..255), `shave` pixels off each side first: the product of mean(contrast * structure) ^
// weight over scales 1 to 4 and of mean(SSIM) ^ weight on scale 5, weights 0.0448, 0.2856, 0.3001, 0.2363,
// 0.1333, window and constants as in ssim.h. A scale is the mean of 2 x 2 samples of the one before; of an
// odd side the last sample is repeated, as in the authors' own code. A negative mean counts as 0. 16-bit
// samples count as v / 257; alpha is ignored. Errors: as check_pair with least = kMsSsimLeast.
Result<Score> ms_ssim(const Picture& a, const Picture& b, int shave);

// Of two planes of 0..255, equally large and at least kMsSsimLeast a side.
double ms_ssim(const Plane& a, const Plane& b);

}  // namespace fye
