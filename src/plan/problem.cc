// Tested by plan/problem_test.cc, and by tests/oracle/planner_oracle.py, which builds the same problem from
// the files and solves it as an integer programme.
#include "plan/problem.h"

#include <fmt/format.h>

#include <cmath>

namespace fye {
namespace {

Form written_form(const PlanProblem::Tensor& tensor, const Assignment& plan) {
  return tensor.producer == kNone ? Form::host : tensor.form[size_t(plan[size_t(tensor.producer)])];
}

Form read_form(const PlanProblem::Reader& reader, const Assignment& plan) {
  return reader.unit == kNone ? Form::host : reader.form[size_t(plan[size_t(reader.unit)])];
}

bool all_costs(const std::vector<double>& costs, bool may_be_infinite) {
  for (const double cost : costs)
    if (!(cost >= 0) || (std::isinf(cost) && !may_be_infinite)) return false;
  return true;
}

bool all_costs(const FormCost& costs) { return all_costs({costs.begin(), costs.end()}, false); }

bool all_costs(const FormPairCost& costs) {
  for (const FormCost& row : costs)
    if (!all_costs(row)) return false;
  return true;
}

}  // namespace

double predicted_ms(const PlanProblem& problem, const Assignment& plan) {
  double ms = problem.fixed_ms;
  for (size_t u = 0; u < plan.size(); ++u) ms += problem.units[u].ms[size_t(plan[u])];
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    const Form written = written_form(tensor, plan);
    std::array<bool, kForms> wanted{};
    for (const PlanProblem::Reader& reader : tensor.readers) wanted[size_t(read_form(reader, plan))] = true;
    for (const Form form : kAllForms)
      if (form != written && wanted[size_t(form)]) ms += tensor.ms[size_t(written)][size_t(form)];
  }
  return ms;
}

double predicted_loss(const PlanProblem& problem, const Assignment& plan) {
  double loss = 0;
  for (size_t u = 0; u < plan.size(); ++u) loss += problem.units[u].loss[size_t(plan[u])];
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    const Form written = written_form(tensor, plan);
    loss += tensor.loss[size_t(written)];
    for (const PlanProblem::Reader& reader : tensor.readers)
      loss += reader.loss[size_t(written)][size_t(read_form(reader, plan))];
  }
  return loss;
}

double predicted_mj(const PlanProblem& problem, const Assignment& plan) {
  double mj = 0;
  for (size_t u = 0; u < plan.size(); ++u) mj += problem.units[u].mj[size_t(plan[u])];
  return mj;
}

int switches(const Assignment& plan) {
  int count = 0;
  for (size_t u = 1; u < plan.size(); ++u) count += plan[u] != plan[u - 1];
  return count;
}

Status check_problem(const PlanProblem& problem) {
  const size_t processors = problem.processors.size();
  const auto wrong = [](const std::string& what) { return internal_error("plan problem: " + what); };
  if (processors == 0 || problem.units.empty()) return wrong("no processors or no units");
  if (!(problem.fixed_ms >= 0) || std::isinf(problem.fixed_ms)) return wrong("fixed_ms");
  for (const PlanProblem::Unit& unit : problem.units) {
    if (unit.ms.size() != processors || unit.loss.size() != processors ||
        (!unit.mj.empty() && unit.mj.size() != processors))
      return wrong(fmt::format("unit \"{}\" lacks a processor", unit.name));
    if (!all_costs(unit.ms, true) || !all_costs(unit.loss, false) || !all_costs(unit.mj, true))
      return wrong(fmt::format("unit \"{}\" has an impossible cost", unit.name));
  }
  const int units = int(problem.units.size());
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    if (tensor.producer < kNone || tensor.producer >= units ||
        tensor.form.size() != (tensor.producer == kNone ? 1 : processors))
      return wrong(fmt::format("tensor \"{}\" has no producer or lacks its forms", tensor.name));
    if (!all_costs(tensor.loss) || !all_costs(tensor.ms))
      return wrong(fmt::format("tensor \"{}\" has an impossible cost", tensor.name));
    int last = tensor.producer;
    for (size_t r = 0; r < tensor.readers.size(); ++r) {
      const PlanProblem::Reader& reader = tensor.readers[r];
      const bool host = reader.unit == kNone;
      if (host ? r + 1 != tensor.readers.size()
               : reader.unit < last || reader.unit == tensor.producer || reader.unit >= units)
        return wrong(fmt::format("tensor \"{}\" is read out of order", tensor.name));
      if (reader.form.size() != (host ? 1 : processors) || !all_costs(reader.loss))
        return wrong(fmt::format("a reader of tensor \"{}\" has impossible costs", tensor.name));
      if (!host) last = reader.unit;
    }
  }
  return {};
}

}  // namespace fye
