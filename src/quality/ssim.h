// SSIM (Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Processing 13(4), 2004) in two forms
// (spec/metrics.md, 3 and 9).
#pragma once

#include "quality/score.h"

namespace fye {

// The window's side: smaller pictures have no SSIM.
inline constexpr int kSsimWindow = 11;

// On BT.601 luma, the form of super-resolution tables. `shave` pixels off each side first; 16-bit samples
// count as v / 257; alpha is ignored. Errors: as check_pair with least = kSsimWindow.
Result<Score> ssim_y(const Picture& a, const Picture& b, int shave);

// On rounded grey, the form that reproduces published calibration pairs (there with shave 0).
Result<Score> ssim_grey(const Picture& a, const Picture& b, int shave);

// Means over the valid part of two planes of 0..255, equally large and at least kSsimWindow a side.
struct SsimMeans {
  double ssim = 0;
  double structure = 0;  // of the factor (2 cov + C2) / (va + vb + C2) alone: contrast and structure
};
SsimMeans mean_ssim(const Plane& a, const Plane& b);

}  // namespace fye
