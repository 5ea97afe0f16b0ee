// LpipsNetwork: AlexNet prepared for pictures of some sizes, and the distance between what it sees in two.
#pragma once

#include <memory>

#include "quality/lpips_weights.h"
#include "quality/score.h"

namespace fye {

// Thread-safe; one distance at a time.
class LpipsNetwork {
 public:
  // `threads` as in ThreadPool. The weights need not be the published ones.
  explicit LpipsNetwork(const LpipsWeights& weights, int threads = 0);
  ~LpipsNetwork();

  // Of two pictures of one size, at least kLpipsLeast a side; see lpips_alex. The same bits for any number
  // of threads. Errors: as check_pair; no memory.
  Result<Score> distance(const Picture& a, const Picture& b, int shave);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fye
