// fold_batch_norm: per-channel scale and shift become part of the neighbouring weights.
#pragma once

#include "graph/graph.h"

namespace fye {

// Affine after a Conv, ConvTranspose or Gemm without activation and residual that nothing else reads; after
// another Affine; and before a Conv where zero padding does not see the shift (no padding, or no shift).
// Weights change by float rounding.
[[nodiscard]] Graph fold_batch_norm(Graph graph);

}  // namespace fye
