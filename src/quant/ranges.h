// Ranges: what a tensor's values look like, and which scale and zero point lose least.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace fye {

// Collects minimum, maximum and an even sample of a tensor's values, in bounded memory. Deterministic: the
// same values in the same order give the same sample, however they are cut into calls. Not thread-safe.
class RangeObserver {
 public:
  // Keeps at most `capacity` (>= 2) values, one from each n in a row; n doubles when full. Which one of the n
  // is taken varies (by a fixed hash), so that a stride of 64 through 64 interleaved channels does not see
  // one channel only.
  explicit RangeObserver(size_t capacity = 1 << 18);
  void add(std::span<const float> values);

  float min() const;  // of the finite values; 0 if there were none
  float max() const;
  bool saw_nan() const;  // NaN or infinity; such values are left out of everything else
  std::span<const float> sample() const;

 private:
  void start_block();
  void thin();

  size_t capacity_, stride_ = 1;
  // Blocks of stride_ values begun; the place to take in this one; the place reached.
  size_t blocks_ = 0, pick_ = 0, position_ = 0;
  float min_ = 0, max_ = 0;
  bool any_ = false, nan_ = false;
  std::vector<float> sample_;
};

// u8 grid over [lo, hi] widened to contain 0: s = (hi - lo) / 255, at least 1e-8, z = rne(-lo / s) in 0..255.
// A range of nothing (0, empty or not finite) gives {1, 0}.
Quant quant_for_range(float lo, float hi);

// The grid with the least mean squared rounding-and-clipping error over the observer's sample without its two
// extreme values (findings-precision.md, "B+"): a search over shrunken ranges, lower and upper end each. A
// tensor that is never negative keeps its lower end, and the zero point, at 0. Never worse over that sample
// than the grid over [min, max].
Quant quant_for_least_error(const RangeObserver& observer);

// Symmetric s8 weights: scale = max|w| / 127 (1 if all are zero), q = sat(rne(w / scale)), in -127..127.
struct SymmetricWeights {
  std::vector<float> scale;    // per channel, or the same value repeated
  std::vector<int8_t> values;  // in the order of the input
};
// `weight` is [channels][rest], finite; per_channel false uses one scale for all.
SymmetricWeights quantise_weights(std::span<const float> weight, int channels, bool per_channel);

}  // namespace fye
