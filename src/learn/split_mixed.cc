// Tested by split_mixed_test.cc: against the simulation at the vertices, against predicted times, and by
// finite differences.
#include "learn/split_mixed.h"

#include <cmath>
#include <map>
#include <set>

namespace fye {
namespace {

// Tensors that are read outside the unit that writes them, or leave the network.
std::vector<bool> crossing(const Graph& graph, const std::vector<Unit>& units) {
  std::vector<int> unit_of(graph.nodes.size());
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) unit_of[size_t(node)] = int(u);
  std::vector<bool> crosses(graph.tensors.size());
  for (const TensorId output : graph.outputs) crosses[size_t(output)] = true;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (const TensorId input : graph.nodes[n].inputs) {
      const int writer = graph.producer(input);
      if (writer != kNone && unit_of[size_t(writer)] != unit_of[n]) crosses[size_t(input)] = true;
    }
  return crosses;
}

// Chance that a unit is on one of the processors.
at::Tensor chance(const at::Tensor& shares, int unit, const std::set<int>& on) {
  auto sum = torch::zeros({}, shares.options());
  for (const int p : on) sum = sum + shares[unit][p];
  return sum;
}

// Processors of a unit, or the host (always there), that store or want a tensor in a form.
struct Party {
  int unit = kNone;
  std::set<int> on;
};

at::Tensor chance(const at::Tensor& shares, const Party& party) {
  if (party.unit == kNone) return torch::ones({}, shares.options());
  return chance(shares, party.unit, party.on);
}

std::map<Form, Party> parties(int unit, const std::vector<Form>& forms) {
  std::map<Form, Party> by_form;
  for (size_t p = 0; p < forms.size(); ++p) {
    Party& party = by_form[forms[p]];
    party.unit = unit;
    party.on.insert(int(p));
  }
  return by_form;
}

}  // namespace

Result<MixedNet> MixedNet::make(const Graph& graph, const Calib* calib,
                                std::span<const Processor* const> processors) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input("the split learner takes networks of one input and one output");
  MixedNet net(graph);
  net.processors_ = int(processors.size());
  net.units_ = units_of(graph);
  net.crosses_ = crossing(graph, net.units_);
  net.functions_.resize(processors.size());
  for (size_t p = 0; p < processors.size(); ++p)
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      net.functions_[p].emplace_back();
      if (!processors[p]->supports(graph, graph.nodes[n]).empty()) continue;
      auto function = torch_node(graph, calib, int(n), *processors[p]);
      if (!function) return function.error();
      net.functions_[p].back() = *std::move(function);
    }
  for (int u = 0; u < net.units(); ++u) {
    bool somewhere = false;
    for (int p = 0; p < net.processors(); ++p) somewhere |= net.runs(u, p);
    if (!somewhere) return bad_input("no processor runs unit \"" + net.units_[size_t(u)].name + "\"");
  }
  return net;
}

bool MixedNet::runs(int unit, int processor) const {
  for (const int node : units_[size_t(unit)].nodes)
    if (!functions_[size_t(processor)][size_t(node)]) return false;
  return true;
}

std::vector<at::Tensor> MixedNet::tensors(const at::Tensor& x, const at::Tensor& shares) const {
  std::vector<at::Tensor> mixed(graph_->tensors.size());
  mixed[size_t(graph_->inputs[0])] = x;
  const bool learning = shares.requires_grad() && torch::GradMode::is_enabled();
  const auto share = shares.to(torch::kFloat32);
  const auto values = share.detach().contiguous();
  for (int u = 0; u < units(); ++u) {
    std::map<TensorId, at::Tensor> sums;
    for (int p = 0; p < processors_; ++p) {
      if (!runs(u, p) || (!learning && values[u][p].item<float>() == 0)) continue;
      std::map<TensorId, at::Tensor> own;  // this version's tensors inside the unit
      for (const int n : units_[size_t(u)].nodes) {
        const Node& node = graph_->nodes[size_t(n)];
        std::vector<at::Tensor> in;
        for (const TensorId id : node.inputs) {
          const auto found = own.find(id);
          in.push_back(found == own.end() ? mixed[size_t(id)] : found->second);
        }
        own[node.output] = functions_[size_t(p)][size_t(n)](in);
      }
      for (const auto& [id, value] : own) {
        if (!crosses_[size_t(id)]) continue;
        const auto part = value * share[u][p];
        at::Tensor& sum = sums[id];
        sum = sum.defined() ? sum + part : part;
      }
    }
    for (const auto& [id, sum] : sums) mixed[size_t(id)] = sum;
  }
  return mixed;
}

at::Tensor MixedNet::output(const at::Tensor& x, const at::Tensor& shares) const {
  return tensors(x, shares)[size_t(graph_->outputs[0])];
}

at::Tensor shares_of(const Assignment& plan, int processors) {
  auto shares = torch::zeros({int64_t(plan.size()), processors});
  for (size_t u = 0; u < plan.size(); ++u) shares[int64_t(u)][plan[u]] = 1;
  return shares;
}

Assignment rounded(const at::Tensor& shares) {
  const auto values = shares.detach().to(torch::kFloat64).contiguous();
  const auto at = values.accessor<double, 2>();
  Assignment plan;
  for (int64_t u = 0; u < at.size(0); ++u) {
    int best = 0;
    for (int p = 1; p < int(at.size(1)); ++p)
      if (at[u][p] > at[u][best]) best = p;
    plan.push_back(best);
  }
  return plan;
}

at::Tensor relaxed_time(const PlanProblem& problem, const at::Tensor& shares) {
  auto compute = torch::zeros_like(shares);
  for (size_t u = 0; u < problem.units.size(); ++u)
    for (size_t p = 0; p < problem.processors.size(); ++p)
      if (std::isfinite(problem.units[u].ms[p])) compute[int64_t(u)][int64_t(p)] = problem.units[u].ms[p];
  auto time = (compute.detach() * shares).sum() + problem.fixed_ms;
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    // Readers by form, entries of one unit joined: it moves the tensor once.
    std::map<Form, std::map<int, Party>> readers;
    for (const PlanProblem::Reader& reader : tensor.readers)
      for (const auto& [form, party] : parties(reader.unit, reader.form)) {
        Party& joined = readers[form][reader.unit];
        joined.unit = party.unit;
        joined.on.insert(party.on.begin(), party.on.end());
      }
    for (const auto& [written, writer] : parties(tensor.producer, tensor.form))
      for (const auto& [read, units] : readers) {
        const double ms = tensor.ms[size_t(written)][size_t(read)];
        if (written == read || ms == 0) continue;
        auto nobody = torch::ones({}, shares.options());
        for (const auto& [unit, party] : units) nobody = nobody * (1 - chance(shares, party));
        time = time + ms * chance(shares, writer) * (1 - nobody);
      }
  }
  return time;
}

}  // namespace fye
