// Dense tensors into maps and back: the bridge between the oracle and the kernels.
#pragma once

#include "base/buffer.h"
#include "kernels/map.h"
#include "kernels/reference/dense.h"

namespace fye {

// A map with its memory. The map points into the buffer, so moving is fine and copying is not.
struct OwnedMap {
  Buffer memory;
  Map map;
};

// Memory for `region` and `margin` pixels around it; pitch 0 means pitch_for(). All of it holds real zero.
OwnedMap make_map(DType type, Quant quant, int channels, const Region& region, int margin = 0, int pitch = 0);

// Writes item `item` of an NCHW (or NC: one pixel) tensor into the part of it that map.region covers, rounded
// to the map's format as number.h says. The tensor has the map's channels.
void put(const Dense& tensor, int64_t item, const Map& map);

// map.region as [1, channels, h, w], dequantised.
Dense get(const Map& map);

}  // namespace fye
