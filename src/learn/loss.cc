#include "learn/loss.h"

#include "learn/net.h"

namespace fye {
namespace {

// Brings the mean square's gradient to the size of l1's at a typical error of 8 grey levels.
constexpr double kSquareGain = kUnit / (2 * 8.0);
// (5 grey levels)^2, 34 dB: patches better than that don't gain weight any more.
constexpr double kPsnrFloor = 25.0 / (kUnit * kUnit);
// The same size of gradient for psnr.
constexpr double kPsnrGain = 8.0 / (2 * kUnit);

torch::Tensor shaped(LossKind kind, const torch::Tensor& difference) {
  if (kind == LossKind::l1) return difference.abs().mean();
  if (kind == LossKind::mse) return difference.square().mean() * kSquareGain;
  const auto per_patch = difference.square().flatten(1).mean(1);
  return (per_patch + kPsnrFloor).log().mean() * kPsnrGain;
}

}  // namespace

Result<LossKind> loss_kind(const std::string& name) {
  if (name == "l1") return LossKind::l1;
  if (name == "mse") return LossKind::mse;
  if (name == "psnr") return LossKind::psnr;
  return usage_error("no loss '" + name + "'", "there are l1, mse and psnr");
}

torch::Tensor training_loss(LossKind kind, const torch::Tensor& made, const torch::Tensor& truth,
                            double luma_weight, int margin) {
  const auto inner = [margin](const torch::Tensor& t) {
    return t.slice(2, margin, t.size(2) - margin).slice(3, margin, t.size(3) - margin);
  };
  const auto difference = inner(made).clamp(0, 255 / kUnit) - inner(truth);
  torch::Tensor loss = shaped(kind, difference) * (1 - luma_weight);
  if (luma_weight > 0) {
    const auto weights = torch::tensor({0.299f, 0.587f, 0.114f}).view({1, 1, 3, 1, 1});
    const auto n = difference.size(0), h = difference.size(2), w = difference.size(3);
    const auto luma = (difference.reshape({n, -1, 3, h, w}) * weights).sum(2);
    loss = loss + luma_weight * shaped(kind, luma);
  }
  return loss;
}

}  // namespace fye
