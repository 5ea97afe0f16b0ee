// The time of one call, for the benchmarks beside the kernels.
#pragma once

#include <benchmark/benchmark.h>

#include "base/clock.h"

namespace fye {

// Seconds; what `call` writes counts as read.
inline double seconds_of(const auto& call) {
  const Stopwatch watch;
  call();
  benchmark::ClobberMemory();
  return watch.ms() / 1000;
}

}  // namespace fye
