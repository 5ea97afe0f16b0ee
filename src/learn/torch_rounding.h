// Rounding with gradients that pass straight through it: what storing a tensor as u8, s16 or bf16 does to its
// real values.
#pragma once

#include <torch/torch.h>

#include "processors/processor.h"

namespace fye {

// Levels are counted from the zero point: q - zero, whole numbers.
struct LevelRange {
  double lo = 0, hi = 0;
};
// Of u8 or s16.
LevelRange range_of(const Stored& form);

// clamp(rne(x / s)) in float32: the levels of real values stored as u8 or s16. NaN gives 0. The gradient is
// 1 / s inside the range, 0 where it clips.
torch::Tensor levels(const torch::Tensor& x, const Stored& form);

// scale * clamp(rne(steps)): the real values of steps on a grid. The gradient is `scale` inside the range.
torch::Tensor from_steps(const torch::Tensor& steps, const LevelRange& range, float scale);

// The real values that are left after storing x in a form; x itself for f32.
torch::Tensor in_form(const torch::Tensor& x, const Stored& form);

}  // namespace fye
