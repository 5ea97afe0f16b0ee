#include "graph/passes/passes.h"

#include "graph/passes/fold_batch_norm.h"
#include "graph/passes/fuse_activation.h"
#include "graph/passes/fuse_post.h"
#include "graph/passes/fuse_residual.h"
#include "graph/passes/hoist_clip.h"
#include "graph/passes/remove_dead.h"

namespace fye {

std::span<const Pass> fuse_passes() {
  static constexpr Pass kPasses[] = {
      {"remove_dead", remove_dead},         {"fold_batch_norm", fold_batch_norm}, {"hoist_clip", hoist_clip},
      {"fuse_activation", fuse_activation}, {"fuse_residual", fuse_residual},     {"fuse_post", fuse_post},
      {"remove_dead", remove_dead},
  };
  return kPasses;
}

Graph fuse(Graph graph) {
  for (const Pass& pass : fuse_passes()) graph = pass.apply(std::move(graph));
  return graph;
}

}  // namespace fye
