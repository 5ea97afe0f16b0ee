// A part of a picture through the network once more, for the output guard. Inside this room only.
#pragma once

#include <span>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "image/picture.h"
#include "processors/processor.h"
#include "runtime/model.h"
#include "runtime/pixel_rows.h"

namespace fye {

struct Recomputed {
  Picture picture;        // of `from`, enlarged
  Region from;            // the input pixels that were read
  bool finite = true;     // the network's last map, in the part that was asked for
  int first_bad = kNone;  // the first node with NaN or infinity anywhere

  PixelRows rows() {
    return {picture.u8(), 0, picture.height, picture.width, picture.channels, picture.bits};
  }
};

struct Recompute {
  const Model* model = nullptr;
  ThreadPool* threads = nullptr;
  int width = 0, height = 0;  // of the whole input
  // Input pixels read around a part, above and left of it and below and right of it: at least the network's
  // halo. Parts and `before` are multiples of what kernels compute together, so that they cut the map as in
  // the whole.
  int before = 0, behind = 0;

  // What a run of `part` reads.
  Region around(const Region& part) const;

  // `in` holds around(part). Equal to the whole run's output in `part`, bit for bit. `tamper` may be null; it
  // may change what a node has made.
  Result<Recomputed> run(const PixelRows& in, const Region& part, std::span<const Processor* const> placement,
                         Isa max, const Observer* tamper) const;
};

}  // namespace fye
