// The null processor: takes segments, computes nothing. Shows what everything around the kernels costs, and the smallest
// implementation of a processor there is.
#pragma once

#include <memory>

#include "processors/processor.h"

namespace fye {

// Its outputs hold whatever the memory held.
std::unique_ptr<Processor> make_null();

}  // namespace fye
