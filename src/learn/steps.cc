#include "learn/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace fye {

double rate_at(double progress) {
  if (progress < kWarmUp) return std::max(progress / kWarmUp, 0.01);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, progress)));
  return kLastRate + (1 - kLastRate) * cosine;
}

double average_decay(double decay, int64_t step) {
  const double taken = double(step + 1);
  return std::min(decay, (1 + taken) / (10 + taken));
}

void average_in(const std::vector<torch::Tensor>& average, const std::vector<torch::Tensor>& values,
                double decay) {
  const torch::NoGradGuard no_gradients;
  for (size_t i = 0; i < values.size(); ++i) torch::Tensor(average[i]).lerp_(values[i].detach(), 1 - decay);
}

Status run_steps(const Pace& pace, int64_t& step, double& seconds, const Steps& steps,
                 const std::atomic<bool>& stop) {
  const auto begin = std::chrono::steady_clock::now();
  const double before = seconds;
  const auto progress = [&] {
    return pace.budget_steps > 0 ? double(step) / double(pace.budget_steps) : seconds / pace.budget_seconds;
  };
  double loss_sum = 0, last_report = seconds, last_save = seconds;
  int64_t loss_count = 0;
  const auto report = [&] {
    steps.report(progress(), loss_count ? loss_sum / double(loss_count) : 0);
    loss_sum = 0, loss_count = 0;
    last_report = seconds;
  };
  while (!stop && progress() < 1) {
    const auto loss = steps.step(progress());
    if (!loss) return loss.error();
    if (!std::isfinite(*loss))
      return internal_error(fmt::format("the loss is not finite at step {}: lower the rate", step));
    ++step;
    loss_sum += *loss, ++loss_count;
    seconds = before + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (seconds - last_report >= pace.report_every) report();
    if (seconds - last_save >= pace.save_every) {
      if (auto kept = steps.save(); !kept) return kept;
      last_save = seconds;
    }
  }
  report();
  return steps.save();
}

Shards::Shards(const std::vector<torch::Tensor>& parameters, int threads)
    : parameters_(parameters), leaves_(threads), pool_(threads) {
  for (auto& leaves : leaves_)
    for (const auto& parameter : parameters_) leaves.push_back(parameter.detach().set_requires_grad(true));
}

double Shards::backward(const std::function<torch::Tensor(int shard)>& loss) {
  std::vector<double> losses(leaves_.size());
  pool_.parallel_for(int64_t(leaves_.size()), 1, [&](int64_t begin, int64_t end) {
    torch::init_num_threads();
    for (int64_t k = begin; k < end; ++k) {
      for (const auto& leaf : leaves_[k]) leaf.mutable_grad().reset();
      const auto value = loss(int(k));
      value.backward();
      losses[k] = value.item<double>();
    }
  });
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!leaves_[0][i].grad().defined()) continue;
    auto sum = leaves_[0][i].grad();
    for (size_t k = 1; k < leaves_.size(); ++k) sum = sum + leaves_[k][i].grad();
    parameters_[i].mutable_grad() = sum / double(leaves_.size());
  }
  double mean = 0;
  for (const double value : losses) mean += value / double(losses.size());
  return mean;
}

}  // namespace fye
