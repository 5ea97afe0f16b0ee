// PSNR: 10 log10(255^2 / MSE), in dB (spec/metrics.md, sections 1 and 2).
#pragma once

#include "quality/score.h"

namespace fye {

// On BT.601 luma (16..235, not rounded), `shave` pixels off each side first. 16-bit samples count as v / 257,
// alpha is ignored, equal pictures give infinity and identical. Errors: as check_pair with least = 1.
Result<Score> psnr_y(const Picture& a, const Picture& b, int shave);

// On R, G and B together, one MSE over all samples; grey counts as R = G = B.
Result<Score> psnr_rgb(const Picture& a, const Picture& b, int shave);

}  // namespace fye
