// Pairs: two things to run that take turns, and the difference of their times.
#pragma once

#include <functional>

#include "base/result.h"
#include "profile/profile.h"

namespace fye {

struct PairOptions {
  int least = 5, most = 30;
  double half_width = 0.05;     // of the difference
  double most_ms = 1e12;        // no pair begins later, once there are `least` of them; warm-ups count
  std::function<double()> now;  // milliseconds; the steady clock if empty
};

// Milliseconds that one run of `with` takes longer than one of `without`, over `copies`; not below 0. Each is
// run once to warm up, then they alternate, the order within a pair too.
Result<Timing> time_difference(const std::function<Status()>& without, const std::function<Status()>& with,
                               int copies, const PairOptions& options);

}  // namespace fye
