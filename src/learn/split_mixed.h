// Mixed network: every unit of a graph computed on all processors at once, from the same input, and summed in
// the shares of a relaxed plan (spec/fye-sr.md, section 5).
//
// x_{i+1} = sum over processors p of share[i][p] * unit_i^p(x_i): for {cpu.f32, cpu.int8} FYE-SR's
// alpha Q(x) + (1 - alpha) F(x). Where every share is 0 or 1, each tensor is what the plan's own kernels make
// of the same input: int8 runs bit for bit, since a tensor that is on its grid already survives being put on
// it again, and 0 times the other version adds nothing.
#pragma once

#include <torch/torch.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "graph/units.h"
#include "learn/torch_graph.h"
#include "plan/problem.h"

namespace fye {

class MixedNet {
 public:
  // Errors: as torch_node for ops without a form here; a graph of several inputs or outputs; a unit that no
  // processor runs. `graph` outlives the result.
  static Result<MixedNet> make(const Graph& graph, const Calib* calib,
                               std::span<const Processor* const> processors);

  int units() const { return int(units_.size()); }
  int processors() const { return processors_; }
  // False where the processor refuses a node of the unit; its share must be 0 then.
  bool runs(int unit, int processor) const;

  // By tensor: what crosses between units or leaves the network, and the input; tensors inside a unit are
  // undefined. x: [N, C, H, W] real values, float32. shares: [units, processors], each row of sum 1.
  // Versions whose share is 0 are not computed if `shares` needs no gradient.
  std::vector<torch::Tensor> tensors(const torch::Tensor& x, const torch::Tensor& shares) const;
  torch::Tensor output(const torch::Tensor& x, const torch::Tensor& shares) const;

 private:
  explicit MixedNet(const Graph& graph) : graph_(&graph) {}

  const Graph* graph_;
  int processors_ = 0;
  std::vector<Unit> units_;
  std::vector<bool> crosses_;                      // by tensor
  std::vector<std::vector<TorchNode>> functions_;  // by processor and node; empty where it can't run
};

// One-hot rows: the shares of a plan, float32.
torch::Tensor shares_of(const Assignment& plan, int processors);

// The largest share of each row; of equal ones the first.
Assignment rounded(const torch::Tensor& shares);

// T(plan) of plan/problem.h for shares: the chance that a form is written times the chance that some unit
// reads the other, each unit's choice taken as independent (a tensor moves to a form once, however many read
// it: 1 - prod (1 - share)). Equals predicted_ms() where every share is 0 or 1. shares: [units, processors]
// float64, 0 where a processor can't run a unit; differentiable. Returns a scalar in ms.
torch::Tensor relaxed_time(const PlanProblem& problem, const torch::Tensor& shares);

}  // namespace fye
