// Kernel: one prepared node - shapes checked, weights packed, variant chosen - that computes rows.
#pragma once

#include <span>
#include <string_view>

#include "kernels/map.h"

namespace fye {

// Immutable after construction; rows() may be called from several threads at once for disjoint rows. The value of an output
// pixel depends on its inputs alone, never on region, row range or thread (design.md, section 4: tiles, determinism).
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Computes rows [y0, y1) of out.region, all its columns and channels; zeroes the gap between channels and pitch. `in` are
  // the node's input maps in order; each covers input_region() of those rows.
  virtual void rows(std::span<const Map> in, const Map& out, int y0, int y1) const = 0;

  // What is computed together of the output. `in` must cover input_region() of whole_grains() of the rows and columns asked for.
  virtual Grain grain() const { return {}; }

  // The variant's name, for traces and `explain`: "direct-avx512", "scalar", ...
  virtual std::string_view variant() const = 0;
};

}  // namespace fye
