// Training losses on cells (net.h): colour and luma together, in three shapes.
#pragma once

#include <torch/torch.h>

#include <string>

#include "base/result.h"

namespace fye {

// l1: mean absolute difference. mse: mean square. psnr: mean over patches of log(mean square + kPsnrFloor),
// whose gradient weighs patches as a mean of PSNRs does, softened so that flat patches don't rule.
enum class LossKind { l1, mse, psnr };

Result<LossKind> loss_kind(const std::string& name);

// (1 - luma_weight) * loss of the colours + luma_weight * loss of the luma (0.299 R + 0.587 G + 0.114 B;
// published scores see luma alone). made and truth: [N, 3 s^2, H, W] pixels / kUnit, float32; made is clipped
// to 0..255 first. The outermost `margin` low-resolution pixels are left out: there a patch's zero padding
// stands where a picture goes on. With a luma_weight of 0, pictures of any other form as well.
torch::Tensor training_loss(LossKind kind, const torch::Tensor& made, const torch::Tensor& truth,
                            double luma_weight, int margin);

}  // namespace fye
