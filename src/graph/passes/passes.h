// Rewrites old -> new, one pair of files each, and the list that every imported graph goes through.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"

namespace fye {

struct Pass {
  std::string_view name;
  Graph (*apply)(Graph);
};

// The passes that fuse() runs, in order: remove_dead (unused readers hide what could be fused),
// fold_batch_norm, hoist_clip (clip above depth-to-space), fuse_activation, fuse_residual (conv + add, with
// ABPN's repeated anchor), fuse_post, remove_dead. A fused node keeps its convolution's name and writes the
// tensor that the last node fused into it wrote.
std::span<const Pass> fuse_passes();

// The form that executors, units and calibration work on; computes the same function. Idempotent.
[[nodiscard]] Graph fuse(Graph graph);

}  // namespace fye
