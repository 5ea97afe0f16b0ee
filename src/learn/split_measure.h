// Plans on crops by the runtime's own kernels: how far they are from the float network, and how they score.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/picture.h"
#include "kernels/reference/dense_map.h"
#include "learn/split_net.h"
#include "plan/problem.h"

namespace fye {

// Means over crops.
struct PlanScores {
  double msef = 0;  // execute/fidelity.h, against the float network
  // quality/table.h's psnr_y, ssim_y and lpips_alex against the original and piqe, of 8-bit pictures shaved
  // by the scale; lpips_to_float against the float network's picture. Absent: LPIPS is not installed, or the
  // crops are too small.
  std::map<std::string, double> scores;
};

// Runs plans on the same crops again and again, all of one size.
class PlanRunner {
 public:
  // Errors: as Executor::prepare for the float network. `net` outlives the runner.
  static Result<PlanRunner> make(const SplitNet& net, const SplitCrops& crops);

  // The network's real outputs, a float map of three channels each.
  Result<std::vector<OwnedMap>> outputs(const Assignment& plan) const;
  Result<double> msef(const Assignment& plan) const;
  Result<PlanScores> scores(const Assignment& plan) const;

 private:
  explicit PlanRunner(const SplitNet& net) : net_(&net) {}

  const SplitNet* net_;
  int side_ = 0;
  std::vector<Picture> low_, high_;
  std::vector<OwnedMap> exact_;
};

}  // namespace fye
