// Torch graph: the nodes of a fused graph as torch computes them, in the arithmetic of each processor, with
// gradients.
#pragma once

#include <torch/torch.h>

#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "processors/processor.h"

namespace fye {

// Real values of a node's inputs [N, C, H, W] to those of its output, float32, differentiable. Thread-safe;
// throws what torch throws where shapes do not fit (the graph's own rules are checked at import).
using TorchNode = std::function<torch::Tensor(std::span<const torch::Tensor> in)>;

// Node `node` as `processor` computes it: each input rounded to the form that the processor reads, the output
// to the form that it writes (Processor::reads, writes), so that a tensor that is already on its grid stays
// what it is. In whole numbers, design.md, section 4: sums are exact integers (float32 where every partial
// sum stays below 2^24, else float64), one float32 multiplication, one rounding half to even after activation
// and residual; so from the same levels come the levels of the int8 kernels, bit for bit. Float sums are
// float32; bf16 rounds operands and outputs.
// Gradients are those of the real function: they pass straight through each rounding and end where it clips
// (Bengio et al., arXiv 1308.3432).
// The result owns what it needs. Errors name the node: an op that has no form here (transposed convolution,
// Gemm, Reshape, Softmax, averages over dilated windows), one that the processor refuses, tensors or weights
// that `calib` lacks.
Result<TorchNode> torch_node(const Graph& graph, const Calib* calib, int node, const Processor& processor);

}  // namespace fye
