// What a split's pictures are worth: FYE-SR's perceptual and structural losses (spec/fye-sr.md, sections 5
// and 6.5).
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "learn/split_mixed.h"
#include "learn/split_net.h"

namespace fye {

// Which perceptual loss. estimator: the network that imitates PIQE (FYE-SR's). The others are for
// comparisons: soft_piqe, PIQE with slopes for thresholds; lpips, the distance to the float network's
// picture; none.
enum class PerceptKind { estimator, soft_piqe, lpips, none };
Result<PerceptKind> percept_kind(const std::string& name);

// At most one of the two is there. Pictures are [N, 3, H, W] in 0..255, whole numbers.
struct Percept {
  std::function<torch::Tensor(const torch::Tensor& picture)> score;  // [N], about 0..1, lower is better
  std::function<torch::Tensor(const torch::Tensor& a, const torch::Tensor& b)> distance;  // [N]
  int least_side = 1;
};
// Errors: the estimator's file, as load_estimator; LPIPS is not installed.
Result<Percept> make_percept(PerceptKind kind, const std::filesystem::path& estimator);

// Crops with what the float network makes of them, so that this is computed once.
struct QualityCrops {
  torch::Tensor low;    // [N, 3, p, p] the network's real values
  torch::Tensor high;   // [N, 3, scale p, scale p] 0..255
  torch::Tensor exact;  // the float network's picture, 0..255, not rounded
  torch::Tensor score;  // [N] Percept::score of the float network's picture, rounded; undefined without one
  Quant picture;
  int shave = 0;  // pixels on each side that do not count in the structural loss: a crop's edge sees padding
};
// Errors: crops whose pictures are smaller than the perceptual loss takes.
Result<QualityCrops> quality_crops(const SplitNet& net, const MixedNet& mixed, const SplitCrops& crops,
                                   const Percept& percept);

struct QualityWeights {
  double percept = 1, structure = 10;  // lambda_1, lambda_2 of spec/fye-sr.md, 5.1
  bool towards_float = false;          // the structural loss looks at the float picture, not the ground truth
};

// lambda_1 * L_percept + lambda_2 * L_struct of the crops `rows` (int64 indices) under `shares`, a scalar.
// L_percept [F]: mean over crops of max(0, score - the float network's) (the guard of 6.5: nothing is won by
// looking better than float), on the picture as it is seen, rounded to 8 bits, with straight-through
// gradients. For lpips, the distance to the float picture. L_struct [F]: mean squared error on [0, 1] RGB.
torch::Tensor quality_loss(const MixedNet& net, const QualityCrops& crops, const torch::Tensor& rows,
                           const torch::Tensor& shares, const Percept& percept,
                           const QualityWeights& weights);

}  // namespace fye
