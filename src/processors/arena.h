// Arena: places buffers of known size and lifetime in one block of memory. Knows nothing of tensors.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fye {

// Alive from step `first` to step `last`, both included.
struct Lifetime {
  size_t bytes = 0;
  int first = 0, last = 0;
};

struct ArenaPlan {
  std::vector<size_t> offset;  // one a lifetime, 64-byte aligned
  size_t bytes = 0;            // of the whole block
};

// Buffers that are alive at the same step never overlap. Largest first, each at the lowest offset that fits (the greedy-by-size
// heuristic of Pisarchyk and Lee, "Efficient memory management for deep neural net inference", arXiv 2001.03288).
ArenaPlan plan_arena(std::span<const Lifetime> buffers);

}  // namespace fye
