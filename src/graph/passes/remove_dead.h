// remove_dead: drops what does nothing - identities, nodes that no output needs, constants and tensors left
// over.
#pragma once

#include "graph/graph.h"

namespace fye {

// Identities: Elementwise none, Reshape to the same shape, Affine 1 and 0, Concat of one, block or factor 1.
// Outputs keep their names; an identity from a graph input straight to an output stays.
[[nodiscard]] Graph remove_dead(Graph graph);

}  // namespace fye
