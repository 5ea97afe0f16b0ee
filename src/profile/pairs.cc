#include "profile/pairs.h"

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "profile/interval.h"

namespace fye {

Result<Timing> time_difference(const std::function<Status()>& without, const std::function<Status()>& with,
                               int copies, const PairOptions& options) {
  constexpr int kWarmUps = 1;
  const Stopwatch watch;
  const auto now = [&] { return options.now ? options.now() : watch.ms(); };
  const double first = now();
  for (int i = 0; i < kWarmUps; ++i)
    for (const auto* run : {&without, &with})
      if (auto status = (*run)(); !status) return status.error();
  std::vector<double> differences;
  Timing time;
  for (int pair = 0; pair < options.most; ++pair) {
    double ms[2] = {};
    for (int turn = 0; turn < 2; ++turn) {
      const int which = (turn + pair) % 2;
      const double begin = now();
      if (auto status = which ? with() : without(); !status) return status.error();
      ms[which] = now() - begin;
    }
    differences.push_back((ms[1] - ms[0]) / copies);
    if (pair + 1 < options.least) continue;
    time = interval_of(differences);
    if (time.half_width < options.half_width * time.ms || now() - first > options.most_ms) break;
  }
  time.ms = std::max(0., time.ms);
  return time;
}

}  // namespace fye
