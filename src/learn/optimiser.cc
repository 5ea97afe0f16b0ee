#include "learn/optimiser.h"

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

constexpr double kEpsilon = 1e-8;
constexpr double kAdamBeta1 = 0.9, kAdamBeta2 = 0.999;
constexpr double kMuonMomentum = 0.95;
// The paper's 0.95 for both averages; the covariance's average is longer because our batches are small.
constexpr double kSoapBeta1 = 0.95, kSoapBeta2 = 0.97, kSoapCovarianceBeta = 0.98;
// Steps between two turns of the eigenbases (the paper's 10).
constexpr int64_t kSoapTurnEvery = 10;
// Scales an orthogonal matrix's entries to Adam's usual root mean square (Liu et al. 2025).
constexpr double kMuonRms = 0.2;

// Kernels [out, in, k, k] as [out, in, k k].
torch::Tensor three_axes(const torch::Tensor& t) { return t.reshape({t.size(0), t.size(1), -1}); }

// Multiplies axis `axis` of a three-axis tensor by matrix^T: every fibre v becomes matrix^T v.
torch::Tensor along(const torch::Tensor& t, const torch::Tensor& matrix, int axis) {
  if (axis == 0) return torch::mm(matrix.t(), t.reshape({t.size(0), -1})).reshape(t.sizes());
  if (axis == 2) return torch::mm(t.reshape({-1, t.size(2)}), matrix).reshape(t.sizes());
  const auto front = t.transpose(0, 1).reshape({t.size(1), -1});
  return torch::mm(matrix.t(), front).reshape({t.size(1), t.size(0), t.size(2)}).transpose(0, 1).contiguous();
}

torch::Tensor into_bases(torch::Tensor t, const std::vector<torch::Tensor>& basis) {
  for (int axis = 0; axis < 3; ++axis) t = along(t, basis[axis], axis);
  return t;
}

torch::Tensor out_of_bases(torch::Tensor t, const std::vector<torch::Tensor>& basis) {
  for (int axis = 0; axis < 3; ++axis) t = along(t, basis[axis].t(), axis);
  return t;
}

torch::Tensor covariance_along(const torch::Tensor& t, int axis) {
  const auto rows = t.transpose(0, axis).reshape({t.size(axis), -1});
  return torch::mm(rows, rows.t());
}

}  // namespace

Result<OptimiserKind> optimiser_kind(const std::string& name) {
  if (name == "adam") return OptimiserKind::adam;
  if (name == "muon") return OptimiserKind::muon;
  if (name == "soap") return OptimiserKind::soap;
  return usage_error("no optimiser '" + name + "'", "there are adam, muon and soap");
}

torch::Tensor newton_schulz(const torch::Tensor& matrix) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  constexpr int steps = 5;
  const bool tall = matrix.size(0) > matrix.size(1);
  auto x = tall ? matrix.t() : matrix;
  x = x / (x.norm() + 1e-12);
  for (int i = 0; i < steps; ++i) {
    const auto s = torch::mm(x, x.t());
    x = a * x + torch::mm(b * s + c * torch::mm(s, s), x);
  }
  return tall ? x.t().contiguous() : x;
}

Optimiser::Optimiser(OptimiserKind kind, const std::vector<torch::Tensor>& parameters)
    : kind_(kind), parameters_(parameters), steps_(torch::zeros({}, torch::kInt64)) {
  for (const auto& p : parameters_) {
    const bool kernel = p.dim() == 4;
    Slot slot;
    slot.momentum = torch::zeros_like(p);
    if (!kernel || kind != OptimiserKind::muon) slot.square = torch::zeros_like(p);
    if (kernel && kind == OptimiserKind::soap) {
      slot.square = torch::zeros({p.size(0), p.size(1), p.size(2) * p.size(3)});
      for (int axis = 0; axis < 3; ++axis) {
        const auto n = slot.square.size(axis);
        slot.covariance.push_back(torch::zeros({n, n}));
        slot.basis.push_back(torch::eye(n));
      }
    }
    slots_.push_back(std::move(slot));
  }
}

void Optimiser::step(double rate) {
  const torch::NoGradGuard no_gradients;
  steps_ += 1;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    auto& p = parameters_[i];
    if (!p.grad().defined()) continue;
    if (p.dim() == 4 && kind_ == OptimiserKind::muon)
      muon(p, slots_[i], rate);
    else if (p.dim() == 4 && kind_ == OptimiserKind::soap)
      soap(p, slots_[i], rate);
    else
      adam(p, slots_[i], rate);
  }
}

void Optimiser::adam(torch::Tensor parameter, Slot& slot, double rate) {
  const double t = double(steps_.item<int64_t>());
  const auto gradient = parameter.grad();
  slot.momentum.lerp_(gradient, 1 - kAdamBeta1);
  slot.square.mul_(kAdamBeta2).addcmul_(gradient, gradient, 1 - kAdamBeta2);
  const auto root = (slot.square / (1 - std::pow(kAdamBeta2, t))).sqrt_().add_(kEpsilon);
  parameter.addcdiv_(slot.momentum, root, -rate / (1 - std::pow(kAdamBeta1, t)));
}

void Optimiser::muon(torch::Tensor parameter, Slot& slot, double rate) {
  const auto gradient = parameter.grad();
  slot.momentum.lerp_(gradient, 1 - kMuonMomentum);
  const auto ahead = gradient.lerp(slot.momentum, kMuonMomentum).reshape({parameter.size(0), -1});
  const double scale = kMuonRms * std::sqrt(double(std::max(ahead.size(0), ahead.size(1))));
  parameter.add_(newton_schulz(ahead).reshape(parameter.sizes()), -rate * scale);
}

void Optimiser::soap(torch::Tensor parameter, Slot& slot, double rate) {
  const int64_t t = steps_.item<int64_t>();
  const auto gradient = three_axes(parameter.grad());
  slot.momentum.lerp_(parameter.grad(), 1 - kSoapBeta1);
  if (t > 1) {
    const auto turned = into_bases(gradient, slot.basis);
    slot.square.mul_(kSoapBeta2).addcmul_(turned, turned, 1 - kSoapBeta2);
    const double n = double(t - 1);
    const auto root = (slot.square / (1 - std::pow(kSoapBeta2, n))).sqrt_().add_(kEpsilon);
    const auto update = out_of_bases(into_bases(three_axes(slot.momentum), slot.basis) / root, slot.basis);
    parameter.add_(update.reshape(parameter.sizes()), -rate / (1 - std::pow(kSoapBeta1, double(t))));
  }
  for (int axis = 0; axis < 3; ++axis)
    slot.covariance[axis].lerp_(covariance_along(gradient, axis), t > 1 ? 1 - kSoapCovarianceBeta : 1);
  if (t == 1) {
    for (int axis = 0; axis < 3; ++axis)
      slot.basis[axis] = std::get<1>(torch::linalg_eigh(slot.covariance[axis]));
  } else if (t % kSoapTurnEvery == 0) {
    for (int axis = 0; axis < 3; ++axis) {
      // One step of orthogonal iteration, columns ordered by their present eigenvalue so that QR keeps the
      // large ones.
      const auto values = (slot.basis[axis] * torch::mm(slot.covariance[axis], slot.basis[axis])).sum(0);
      const auto order = values.argsort(0, true);
      slot.square = slot.square.index_select(axis, order);
      const auto power = torch::mm(slot.covariance[axis], slot.basis[axis].index_select(1, order));
      slot.basis[axis] = std::get<0>(torch::linalg_qr(power));
    }
  }
}

std::vector<torch::Tensor> Optimiser::state() const {
  std::vector<torch::Tensor> all{steps_};
  for (const auto& slot : slots_) {
    all.push_back(slot.momentum);
    if (slot.square.defined()) all.push_back(slot.square);
    all.insert(all.end(), slot.covariance.begin(), slot.covariance.end());
    all.insert(all.end(), slot.basis.begin(), slot.basis.end());
  }
  return all;
}

Status Optimiser::restore(const std::vector<torch::Tensor>& state) {
  const auto mine = this->state();
  if (mine.size() != state.size()) return bad_input("optimiser state: another number of tensors");
  for (size_t i = 0; i < mine.size(); ++i)
    if (mine[i].sizes() != state[i].sizes() || mine[i].scalar_type() != state[i].scalar_type())
      return bad_input("optimiser state: a tensor of another shape");
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < mine.size(); ++i) torch::Tensor(mine[i]).copy_(state[i]);
  return {};
}

}  // namespace fye
