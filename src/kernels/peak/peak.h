// Peaks: what one core of this machine can do at most, measured by micro-kernels; the limit beside every
// measured speed.
#pragma once

#include <string_view>
#include <vector>

#include "base/isa.h"
#include "graph/tensor.h"

namespace fye {

// One instruction sequence at full speed, operands in registers.
struct Peak {
  std::string_view name;  // "f32 FMA, AVX-512", "int8 vpdpbusd, AVX-512", ...
  Numbers numbers;
  Isa isa;
  double gmacs = 0;  // 1e9 multiply-adds a second, one thread
};

struct Peaks {
  std::vector<Peak> compute;      // every sequence that the machine and the limit allow
  double copy_gb_per_second = 0;  // memcpy of 64 MB, read and write counted, 1e9 bytes, one thread

  // The fastest sequence of a format; 0 if there is none (bf16 on machines without it).
  double best(Numbers numbers) const;
};

// Takes about 20 ms a sequence and 100 ms for the copy; the best of several short runs each.
Peaks measure_peaks(Isa max);

}  // namespace fye
