// Tested by plan/relaxed_test.cc: at the vertices against predicted_ms(), the gradient by differences.
#include "plan/relaxed.h"

#include <cmath>

namespace fye {
namespace {

FormCost form_shares(const std::vector<double>& a, const std::vector<Form>& form) {
  FormCost shares{};
  for (size_t p = 0; p < form.size(); ++p) shares[size_t(form[p])] += a[p];
  return shares;
}

// A tensor's hand-overs.
class Moves {
 public:
  Moves(const PlanProblem::Tensor& tensor, const Probabilities& a) : tensor_(tensor) {
    const std::vector<double> host = {1};
    written_ = form_shares(tensor.producer == kNone ? host : a[size_t(tensor.producer)], tensor.form);
    for (const PlanProblem::Reader& reader : tensor.readers)
      reads_.push_back(form_shares(reader.unit == kNone ? host : a[size_t(reader.unit)], reader.form));
  }

  double ms() const {
    double sum = 0;
    for (const Form written : kAllForms) sum += written_[size_t(written)] * ms_if_written(written);
    return sum;
  }

  void add_gradient(Probabilities& gradient) const {
    if (tensor_.producer != kNone)
      for (size_t p = 0; p < tensor_.form.size(); ++p)
        gradient[size_t(tensor_.producer)][p] += ms_if_written(tensor_.form[p]);
    for (size_t r = 0; r < tensor_.readers.size(); ++r) {
      const PlanProblem::Reader& reader = tensor_.readers[r];
      if (reader.unit == kNone) continue;
      for (size_t p = 0; p < reader.form.size(); ++p) {
        const size_t form = size_t(reader.form[p]);
        double price = 0;
        for (const Form written : kAllForms)
          price += written_[size_t(written)] * tensor_.ms[size_t(written)][form];
        gradient[size_t(reader.unit)][p] += price * nobody_else_wants(form, r);
      }
    }
  }

 private:
  // Probability that no reader, or none but `except`, reads in the form.
  double nobody_else_wants(size_t form, size_t except) const {
    double none = 1;
    for (size_t r = 0; r < reads_.size(); ++r)
      if (r != except) none *= 1 - reads_[r][form];
    return none;
  }

  // The diagonal of ms is 0.
  double ms_if_written(Form written) const {
    double sum = 0;
    for (size_t form = 0; form < kForms; ++form)
      sum += tensor_.ms[size_t(written)][form] * (1 - nobody_else_wants(form, reads_.size()));
    return sum;
  }

  const PlanProblem::Tensor& tensor_;
  FormCost written_{};
  std::vector<FormCost> reads_;
};

}  // namespace

double relaxed_ms(const PlanProblem& problem, const Probabilities& a, Probabilities* gradient) {
  double ms = problem.fixed_ms;
  if (gradient) gradient->assign(problem.units.size(), std::vector<double>(problem.processors.size(), 0));
  for (size_t u = 0; u < problem.units.size(); ++u)
    for (size_t p = 0; p < problem.processors.size(); ++p) {
      const double cost = problem.units[u].ms[p];
      if (std::isinf(cost) && a[u][p] == 0) continue;
      ms += a[u][p] * cost;
      if (gradient && !std::isinf(cost)) (*gradient)[u][p] += cost;
    }
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    const Moves moves(tensor, a);
    ms += moves.ms();
    if (gradient) moves.add_gradient(*gradient);
  }
  if (gradient)
    for (size_t u = 0; u < problem.units.size(); ++u)
      for (size_t p = 0; p < problem.processors.size(); ++p)
        if (std::isinf(problem.units[u].ms[p])) (*gradient)[u][p] = 0;
  return ms;
}

Probabilities probabilities_of(const PlanProblem& problem, const Assignment& plan) {
  Probabilities a(problem.units.size(), std::vector<double>(problem.processors.size(), 0));
  for (size_t u = 0; u < plan.size(); ++u) a[u][size_t(plan[u])] = 1;
  return a;
}

}  // namespace fye
