// A picture as the input map of a network, for calibration and other work on the bare graph.
#pragma once

#include "base/buffer.h"
#include "image/picture.h"
#include "kernels/map.h"
#include "runtime/model.h"

namespace fye {

// Owns its pixels; the map points at them.
struct NetworkInput {
  Map map;
  Buffer pixels;
};

// The map that an upscale of `picture` would feed to the network: u8 where its range begins at 0, else f32;
// luma for networks on luma, enlarged first for those that want it. Alpha is left out, grey becomes three
// equal channels for RGB networks.
NetworkInput network_input(const Picture& picture, const Conventions& conventions);

}  // namespace fye
