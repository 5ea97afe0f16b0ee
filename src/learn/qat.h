// Quantisation-aware training: a network's steps as int8 computes them (design.md, section 4), with gradients
// that pass straight through the rounding (Bengio et al. 2013; Jacob et al. 2018).
#pragma once

#include <vector>

#include "learn/checkpoint.h"
#include "learn/data.h"
#include "learn/net.h"

namespace fye {

// Errors (usage): a luma network, whose picture this arithmetic has no grid for.
Status quantisable(const NetSpec& spec);

// A grid for every tensor that forward() stores, from the float network's values on these pictures: least
// mean square error (quant/ranges.h); the input and the output keep the pixels' own grid, scale 1, zero 0.
// Errors: as quantisable(); no pictures, a value that is not finite.
Result<Grids> observe_grids(const NetSpec& spec, const Weights& weights,
                            const std::vector<PicturePair>& pictures);

// Convolutions with 8-bit symmetric weights, scale max|w| / 127 per output channel, and tensors rounded and
// clipped to their grids at store: ReLU, residual and anchor addition come before the one rounding, as in the
// fused int8 kernels. Sums are float32. Gradients pass inside the clip range. Everything given must outlive
// the result; `grids` names every tensor that is stored.
Arithmetic quantised_arithmetic(const NetSpec& spec, const Weights& weights, const Grids& grids);

// float_arithmetic, or quantised_arithmetic where there are grids.
Arithmetic arithmetic_for(const NetSpec& spec, const Weights& weights, const Grids& grids);

// `kernel` [out, in, kh, kw] on its 8-bit grids, with straight-through gradients.
torch::Tensor quantised_kernel(const torch::Tensor& kernel);

// grids.json: {"net", "scale", "tensors": {name: {"scale", "zero"}}}, real values in pixels 0..255.
Status dump_grids(const NetSpec& spec, const Grids& grids, const std::filesystem::path& path);

}  // namespace fye
