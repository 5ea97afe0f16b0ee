// Networks in little, tensors and made-up plan problems for the split learner's tests.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <random>

#include "execute/simulate.h"
#include "execute/testing_graphs.h"
#include "learn/split_mixed.h"

namespace fye::testing {

inline const std::vector<std::string> kTwo{"cpu.f32", "cpu.int8"};

inline std::vector<const Processor*> processors_named(const std::vector<std::string>& names) {
  std::vector<const Processor*> all;
  for (const auto& name : names) all.push_back(*find_processor(name, active_isa()));
  return all;
}

inline at::Tensor tensor_of_dense(const Dense& dense) {
  return torch::tensor(dense.values, torch::kFloat32).reshape(dense.shape);
}

inline Dense dense_of(const at::Tensor& tensor) {
  const auto x = tensor.detach().to(torch::kFloat32).contiguous();
  return {x.sizes().vec(), {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()}};
}

// Whole numbers 0..255, [1, channels, height, width].
inline at::Tensor noise_picture(int64_t channels, int64_t height, int64_t width, uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return torch::empty({1, channels, height, width}).uniform_(0, 255.99, generator).floor_();
}

// Two skip connections over five convolutions, 4 channels wide: the smallest net with a trunk.
inline Graph small_residual(uint32_t seed = 4) {
  Builder b(3, seed);
  const TensorId head = b.conv(0, 4, 3);
  TensorId x = b.add(b.conv(b.relu(b.conv(head, 4, 3)), 4, 3), head);
  x = b.add(b.conv(x, 4, 3), head);
  return b.take(b.clip(b.shuffle(b.conv(x, 12, 3), 2, true), 0, 255));
}

// A problem over {cpu.f32, cpu.int8} whose units take (ms_f32, ms_int8), and whose tensors take `move` ms to
// change form; input and output are converted by the way.
inline PlanProblem chain_problem(const std::vector<std::pair<double, double>>& units, double move) {
  PlanProblem problem{.processors = {"cpu.f32", "cpu.int8"}, .units = {}, .tensors = {}, .fixed_ms = 0.25};
  const std::vector<Form> forms{Form::f32, Form::u8}, host{Form::host};
  const auto cost = [](double ms) {
    FormPairCost pairs{};
    for (const Form from : kAllForms)
      for (const Form to : kAllForms)
        if (from != to) pairs[size_t(from)][size_t(to)] = ms;
    return pairs;
  };
  for (size_t u = 0; u <= units.size(); ++u) {
    PlanProblem::Tensor tensor{
        .name = "t" + std::to_string(u), .producer = int(u) - 1, .form = forms, .loss = {}};
    tensor.ms = cost(u == 0 || u == units.size() ? 0.125 : move);
    if (u == 0) tensor.producer = kNone, tensor.form = host;
    tensor.readers = {{.unit = int(u), .form = forms}};
    if (u == units.size()) tensor.readers = {{.unit = kNone, .form = host}};
    problem.tensors.push_back(tensor);
    if (u < units.size())
      problem.units.push_back({"u" + std::to_string(u), {units[u].first, units[u].second}, {0, 0}, {}});
  }
  return problem;
}

}  // namespace fye::testing
