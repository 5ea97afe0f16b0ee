// A processor on one core: `cpu.f32@core0`. The same kernels with one thread that stays there (base/crew.h),
// so that two of them work side by side.
#pragma once

#include <memory>

#include "processors/processor.h"

namespace fye {

// `base` outlives it. `core` is a place in usable_cores().
std::unique_ptr<Processor> make_pinned(const Processor& base, int core);

}  // namespace fye
