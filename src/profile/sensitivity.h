// Sensitivity: how far each unit's arithmetic and each tensor's stored form moves the output (losses.h).
#pragma once

#include <functional>
#include <span>

#include "base/isa.h"
#include "base/result.h"
#include "base/threads.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/map.h"
#include "processors/processor.h"
#include "profile/losses.h"

namespace fye {

struct SensitivityOptions {
  Quant picture;  // the output's grid: one step is a grey level
  Isa max = active_isa();
};

// `crops` are input maps of the network. One change at a time against the network on `base` (cpu.f32), with
// the runtime's own kernels: a tensor through a form and back for everybody who reads it, and for each reader
// alone where there are several; a unit on a processor, less what its tensors' forms explain. Then from the
// other end: one unit back on `base` where everything else is on a processor; a part is the mean of both.
// Means over the crops; negative remainders become 0. Units that a processor can't run are absent. The same
// for any number of threads. Errors: no crops, a crop that the graph can't take, an output that is not
// finite.
Result<Losses> measure_losses(const Graph& graph, const Calib* calib, const Processor* base,
                              std::span<const Processor* const> processors, std::span<const Map> crops,
                              const SensitivityOptions& options, ThreadPool& threads,
                              const std::function<void(double)>& progress = {});

}  // namespace fye
