// The grid of 8-bit pictures: how a network's real values stand for grey levels 0..255.
#pragma once

#include <optional>

#include "base/result.h"
#include "graph/graph.h"

namespace fye {

// From metadata "fye.range" (design.md, section 3): "0..255" {1, 0}; "0..1" {1 / 255, 0}; "-1..1" {2 / 255,
// 128}, whose levels lie half a level beside the exact 2 p / 255 - 1, because a zero point of 127.5 does not
// exist (input and output are shifted the same way). Nothing if the graph does not say; an error if it says
// something else.
Result<std::optional<Quant>> picture_quant(const Graph& graph);

}  // namespace fye
