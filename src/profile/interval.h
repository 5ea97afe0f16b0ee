// Interval: how well a median is known, by the bootstrap.
#pragma once

#include <span>

#include "profile/profile.h"

namespace fye {

// Median of the samples and half of the 95 % bootstrap interval around it (Efron 1979; 400 resamples, seeded:
// the same samples give the same interval). No samples: zeros.
Timing interval_of(std::span<const double> samples);

}  // namespace fye
