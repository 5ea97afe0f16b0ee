// The CPU as a processor: one for each number format, all kernels of src/kernels behind it.
#pragma once

#include <memory>

#include "processors/processor.h"

namespace fye {

// cpu.f32, cpu.bf16 or cpu.int8, with kernels up to `max`.
std::unique_ptr<Processor> make_cpu(Numbers numbers, Isa max);

}  // namespace fye
