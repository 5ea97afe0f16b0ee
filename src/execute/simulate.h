// Simulation: what a mixed f32 / int8 / int8r16 placement must compute, on dense tensors, by arithmetic of
// its own.
//
// It shares no code with the kernels: f32 nodes run on the dense reference (sums in double), int8 and int8r16
// nodes on the formulas of design.md, section 4, with sums in 64-bit integers. The runtime with reference
// kernels gives the same bits (but for average pooling and bicubic resizing inside int8: one level where a
// double sum rounds otherwise); with fast float kernels at most 0.1 % of what enters an int8 run differs, by
// one level.
#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "kernels/reference/dense.h"

namespace fye {

// A tensor in the form its producer stores: real values (f32), whole numbers q in 0..255 (int8), or in
// -32768..32767 (int8r16).
struct StoredTensor {
  Numbers numbers = Numbers::f32;
  Quant quant;  // of whole numbers
  Dense dense;
};

// Node `index` in `numbers`, from the tensors it reads, which are stored in any form: they are converted as a
// hand-over would. `tensors` is indexed by tensor. Errors: bf16 (its contract leaves room for more than one
// answer), an op without an integer form, a tensor or convolution that `calib` lacks.
Result<StoredTensor> simulate_node(const Graph& graph, const Calib* calib, int index, Numbers numbers,
                                   std::span<const StoredTensor> tensors);

// Runs `graph` with node n in numbers[n] and returns every tensor, in tensor order, the input included as
// given. Meant for tests and small pictures. Errors as above.
Result<std::vector<StoredTensor>> simulate(const Graph& graph, const Calib* calib,
                                           std::span<const Numbers> numbers, const StoredTensor& input);

}  // namespace fye
