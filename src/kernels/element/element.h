// Ops that compute every output element from the elements at the same place: activations, affine, binary,
// softmax.
#pragma once

#include "kernels/node_problem.h"

namespace fye {

Prepared prepare_elementwise(const NodeProblem& problem, const Elementwise& op);
Prepared prepare_affine(const NodeProblem& problem, const Affine& op);
// Two maps of equal channels, or a map and a constant that broadcasts over batch 1: scalar, per channel, or
// up to a value for every channel, row and column.
Prepared prepare_binary(const NodeProblem& problem, const Binary& op);
// Over the channels of each pixel; f32 and bf16.
Prepared prepare_softmax(const NodeProblem& problem, const Softmax& op);

}  // namespace fye
