#include "profile/interval.h"

#include <algorithm>
#include <random>
#include <vector>

#include "base/clock.h"

namespace fye {

Timing interval_of(std::span<const double> samples) {
  constexpr int kResamples = 400;
  constexpr double kTail = 0.025;
  if (samples.empty()) return {};
  std::minstd_rand random(1);
  std::vector<double> medians(kResamples), drawn(samples.size());
  for (double& m : medians) {
    for (double& v : drawn) v = samples[random() % samples.size()];
    m = median(drawn);
  }
  std::sort(medians.begin(), medians.end());
  const double low = medians[size_t(kTail * kResamples)], high = medians[size_t((1 - kTail) * kResamples)];
  return {median({samples.begin(), samples.end()}), (high - low) / 2, int(samples.size())};
}

}  // namespace fye
