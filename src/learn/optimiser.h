// Optimisers for small convolution nets: Adam, and two that precondition each kernel as a matrix or tensor.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// adam: Kingma and Ba 2015. muon: momentum whose [out, in * 9] matrix is orthogonalised (Jordan et al. 2024).
// soap: Adam in the slowly turning eigenbases of the gradient's covariances (Vyas et al. 2024), one basis
// each for out, in and the 9 taps. Biases and anything that is not four-dimensional are left to Adam by all
// three.
enum class OptimiserKind { adam, muon, soap };

Result<OptimiserKind> optimiser_kind(const std::string& name);

// Updates tensors in place. Its state is a list of tensors, so that a checkpoint can carry it. Deterministic.
class Optimiser {
 public:
  Optimiser(OptimiserKind kind, const std::vector<torch::Tensor>& parameters);

  // One step of size `rate` along the parameters' gradients; the rate means the same for all kinds (an
  // update's root mean square is about a fifth of it to all of it).
  void step(double rate);

  // Everything that step() remembers, in a fixed order.
  std::vector<torch::Tensor> state() const;
  // Takes over what state() gave. Errors (bad_input): another number of tensors or other shapes.
  Status restore(const std::vector<torch::Tensor>& state);

 private:
  struct Slot {
    torch::Tensor momentum, square;                // Adam's two averages
    std::vector<torch::Tensor> covariance, basis;  // soap: per axis
  };
  void adam(torch::Tensor parameter, Slot& slot, double rate);
  void muon(torch::Tensor parameter, Slot& slot, double rate);
  void soap(torch::Tensor parameter, Slot& slot, double rate);

  OptimiserKind kind_;
  std::vector<torch::Tensor> parameters_;
  std::vector<Slot> slots_;
  torch::Tensor steps_;  // int64 scalar
};

// The orthogonal factor of a matrix, approximately: five Newton-Schulz steps whose polynomial pushes every
// singular value into about 0.7..1.2 (coefficients of Jordan et al. 2024).
torch::Tensor newton_schulz(const torch::Tensor& matrix);

}  // namespace fye
