// LPIPS v0.1 with AlexNet (Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep
// features as a perceptual metric, CVPR 2018; spec/metrics.md, 5): how different two pictures look to a
// network. 0 is equal; lower is better. Runs on fye's own kernels in f32.
#pragma once

#include "quality/score.h"

namespace fye {

// On RGB; grey counts as R = G = B, 16-bit samples as v / 257, alpha is ignored; `shave` pixels off each side
// first (published values: 0). Weights, the network prepared for the last two sizes, and what it saw in the
// last `a` are kept for the life of the process. Uses every core; callers on several threads take turns.
// Errors: not_installed; as check_pair with least = kLpipsLeast (quality/lpips_weights.h); a file of weights
// that is broken or not LPIPS's; no memory.
Result<Score> lpips_alex(const Picture& a, const Picture& b, int shave);

}  // namespace fye
