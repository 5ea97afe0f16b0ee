// Share times: what units take when processors share them, measured inside the whole network (uLayer's and
// MobiSR's planners; spec/baselines.md).
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "execute/patches.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "processors/processor.h"
#include "profile/measure.h"

namespace fye {

// Milliseconds of each unit with its output channels dealt out between two processors, waiting and merging
// included: medians.
struct ChannelTimes {
  std::vector<double> parts;            // the first processor's, ascending from 0 to 1
  std::vector<std::vector<double>> ms;  // by unit, then part
};

// In steps of 1 / `steps`. The first processor stores what both make. Every ratio takes its turn in each of
// `rounds` rounds, the whole network cut by it; a unit's time is what passes between the ends of its
// neighbours. Of `options` size, picture form and instruction set count. Errors: as SharedExecutor::prepare.
Result<ChannelTimes> measure_channels(const Graph& graph, const Calib* calib,
                                      std::span<const Processor* const, 2> pair, int steps, int rounds,
                                      const MeasureOptions& options, ThreadPool& threads,
                                      const std::function<void(double)>& progress = {});

// Milliseconds a patch of a whole picture on each processor alone, cutting out and putting back included:
// medians of `rounds`, in turns. Errors: as PatchExecutor::prepare.
Result<std::vector<double>> measure_patches(const Graph& graph, const Calib* calib,
                                            std::span<const Processor* const> processors,
                                            const PatchRule& rule, int rounds, const MeasureOptions& options,
                                            ThreadPool& threads);

// Milliseconds for two cores to be given work and wait for each other: the median of many. 0 if a processor
// is not on a core.
double measure_wait(std::span<const Processor* const, 2> pair);

}  // namespace fye
