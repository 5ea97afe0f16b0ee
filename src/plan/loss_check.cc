#include "plan/loss_check.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/clock.h"
#include "base/spearman.h"
#include "execute/fidelity.h"
#include "execute/stepper.h"
#include "graph/units.h"

namespace fye {
namespace {

constexpr double kShares[] = {0.25, 0.5, 0.75, 0.9};
constexpr size_t kBins = std::size(kShares);

// Units that can run on `processor`, in order.
std::vector<int> able(const PlanProblem& problem, int processor) {
  std::vector<int> units;
  for (size_t u = 0; u < problem.units.size(); ++u)
    if (std::isfinite(problem.units[u].ms[size_t(processor)])) units.push_back(int(u));
  return units;
}

Assignment random_plan(const PlanProblem& problem, int base, std::span<const int> narrow, double share,
                       bool run, std::minstd_rand& random) {
  Assignment plan(problem.units.size(), base);
  // One narrow processor throughout, or (one plan in three, where there are several) any for each unit.
  const bool mixed = narrow.size() > 1 && random() % 3 == 0;
  const int one = narrow[random() % narrow.size()];
  std::vector<int> units = able(problem, one);
  const size_t count = size_t(std::lround(share * double(units.size())));
  if (run)
    std::rotate(units.begin(), units.begin() + ptrdiff_t(random() % (units.size() - count + 1)), units.end());
  else
    std::shuffle(units.begin(), units.end(), random);
  for (size_t i = 0; i < count; ++i) {
    const int processor = mixed ? narrow[random() % narrow.size()] : one;
    if (std::isfinite(problem.units[size_t(units[i])].ms[size_t(processor)]))
      plan[size_t(units[i])] = processor;
  }
  return plan;
}

// 0 where there is no order to agree on.
double agreement_of(std::span<const double> a, std::span<const double> b) {
  const double agreement = spearman(a, b);
  return std::isnan(agreement) ? 0 : agreement;
}

}  // namespace

Result<PlanProblem> loss_problem(const Graph& graph, const Calib* calib,
                                 std::span<const Processor* const> processors, const Losses& losses) {
  Profile profile{.graph_sha256 = graph.sha256};
  for (const Processor* p : processors) profile.processors.emplace_back(p->name());
  for (const UnitLoss& unit : losses.units) {
    profile.units.push_back({unit.unit, {}});
    for (const Processor* p : processors)
      if (p->numbers() == Numbers::f32 || unit.on.contains(std::string(p->name())))
        profile.units.back().on[std::string(p->name())] = {};
  }
  for (const Tensor& tensor : graph.tensors)
    for (const Form from : kAllForms)
      for (const Form to : kAllForms)
        if (from != to) profile.hand_overs.push_back({tensor.name, from, to, {}});
  return plan_problem(graph, calib, processors, profile, &losses);
}

Result<LossCheck> check_losses(const Graph& graph, const Calib* calib, const PlanProblem& problem,
                               std::span<const Processor* const> processors, int base,
                               std::span<const int> narrow, std::span<const Map> crops, const Quant& picture,
                               int count, unsigned seed, ThreadPool& threads,
                               const std::function<void(double)>& progress) {
  if (narrow.empty() || crops.empty())
    return bad_input("nothing to check: no number format but f32, or no pictures");
  std::minstd_rand random(seed);
  const std::vector<Unit> units = units_of(graph);
  std::vector<std::vector<const Processor*>> placements;
  LossCheck check;
  for (int i = 0; i < count; ++i) {
    const double share = kShares[size_t(i) % kBins];
    const Assignment plan = random_plan(problem, base, narrow, share, size_t(i) / kBins % 2 == 1, random);
    check.share.push_back(share);
    check.predicted.push_back(predicted_loss(problem, plan));
    check.truth.push_back(0);
    placements.emplace_back(graph.nodes.size());
    for (size_t u = 0; u < units.size(); ++u)
      for (int node : units[u].nodes) placements.back()[size_t(node)] = processors[size_t(plan[u])];
  }
  double done = 0;
  for (const Map& crop : crops) {
    auto stepper = Stepper::create(graph, calib, processors[size_t(base)], crop, threads);
    if (!stepper) return stepper.error();
    for (size_t i = 0; i < placements.size(); ++i) {
      const auto out = stepper->output(placements[i]);
      if (!out) return out.error();
      check.truth[i] += msef(*out, stepper->base_output(), picture) / double(crops.size());
      if (progress) progress(++done / double(placements.size() * crops.size()));
    }
  }
  check.spearman = agreement_of(check.predicted, check.truth);
  std::vector<double> ratios;
  for (size_t i = 0; i < check.truth.size(); ++i)
    if (check.predicted[i] > 0) ratios.push_back(check.truth[i] / check.predicted[i]);
  check.ratio = median(ratios);
  for (const double share : kShares) {
    std::vector<double> predicted, truth;
    for (size_t i = 0; i < check.truth.size(); ++i)
      if (check.share[i] == share) {
        predicted.push_back(check.predicted[i]);
        truth.push_back(check.truth[i]);
      }
    check.spearman_within += agreement_of(predicted, truth) / double(kBins);
  }
  return check;
}

}  // namespace fye
