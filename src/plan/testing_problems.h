// Plan problems for tests: from real graphs with random costs, and every plan of small ones. Tests only.
#pragma once

#include <cmath>
#include <map>
#include <random>

#include "graph/passes/passes.h"
#include "graph/units.h"
#include "plan/exact.h"
#include "plan/problem.h"

namespace fye {

// What plan_problem() reads, with costs drawn from a seed.
struct Measured {
  Graph graph;
  Calib calib;
  std::vector<const Processor*> processors;
  Profile profile;
  Losses losses;

  Result<PlanProblem> problem() const { return plan_problem(graph, &calib, processors, profile, &losses); }
};

// Whole milliseconds and losses if `whole`, so that a grid of 1 ms is exact. cpu.f32 is slow and true.
inline Measured measured(Graph graph, std::vector<const Processor*> processors, unsigned seed,
                         bool whole = false) {
  std::mt19937 random(seed);
  const auto cost = [&](double least, double most) {
    const double value = std::uniform_real_distribution(least, most)(random);
    return whole ? std::floor(value) : value;
  };
  Measured m{std::move(graph), {}, std::move(processors), {}, {}};
  m.graph.sha256 = "abc";
  for (const Tensor& tensor : m.graph.tensors) m.calib.tensors[tensor.name] = {1, 0};
  m.profile.graph_sha256 = m.losses.graph_sha256 = "abc";
  m.profile.machine = {"cpu", "scalar", "build", 1};
  m.profile.width = m.profile.height = 16;
  m.profile.fixed_ms = cost(0, 4);
  for (const Processor* p : m.processors) m.profile.processors.emplace_back(p->name());
  for (const Unit& unit : units_of(m.graph)) {
    UnitTimes times{unit.name, {}};
    UnitLoss loss{unit.name, {}};
    for (const Processor* p : m.processors) {
      bool runs = true;
      for (const int node : unit.nodes)
        runs = runs && p->supports(m.graph, m.graph.nodes[size_t(node)]).empty();
      if (!runs) continue;
      const bool f32 = p->numbers() == Numbers::f32;
      times.on[std::string(p->name())].ms = f32 ? cost(20, 60) : cost(5, 40);
      if (!f32) loss.on[std::string(p->name())] = cost(0, 20);
    }
    m.profile.units.push_back(times);
    m.losses.units.push_back(loss);
  }
  for (const Tensor& tensor : m.graph.tensors) {
    for (const Form from : kAllForms)
      for (const Form to : kAllForms)
        if (from != to) m.profile.hand_overs.push_back({tensor.name, from, to, {cost(0, 12), 0, 5}});
    TensorLoss loss{tensor.name, {}, {}};
    for (const Form form : {Form::bf16, Form::s16, Form::u8}) loss.stored[form] = cost(0, 15);
    for (const Unit& unit : units_of(m.graph))
      if (random() % 3 == 0) loss.read[unit.name][Form::u8] = cost(0, 10);
    m.losses.tensors.push_back(loss);
  }
  return m;
}

// A plan problem without a graph: a chain of `units` with a skip from every unit that is a multiple of
// `block` to the second one after it, and one over all of it; forms by processor as on a CPU: f32, bf16, u8,
// and u8 that adds in s16.
inline PlanProblem chain_problem(int units, int block, int processors, unsigned seed) {
  std::mt19937 random(seed);
  const auto cost = [&](double least, double most) {
    return std::uniform_real_distribution(least, most)(random);
  };
  constexpr Form kPlain[] = {Form::f32, Form::bf16, Form::u8, Form::u8};
  constexpr Form kAdded[] = {Form::f32, Form::bf16, Form::u8, Form::s16};
  PlanProblem problem;
  for (int p = 0; p < processors; ++p) problem.processors.push_back("p" + std::to_string(p));
  for (int u = 0; u < units; ++u) {
    PlanProblem::Unit unit{"u" + std::to_string(u), {}, {}, {}};
    const double ms = cost(8, 12);
    for (int p = 0; p < processors; ++p) {
      constexpr double kSpeed[] = {1, .5, .3, .31}, kLoss[] = {0, .1, 1, .8};
      unit.ms.push_back(ms * kSpeed[p] * cost(.95, 1.05));
      unit.loss.push_back(kLoss[p] * cost(.01, .1));
      unit.mj.push_back(cost(1, 10));
    }
    problem.units.push_back(unit);
  }
  const auto read = [&](int unit, const Form* forms) {
    PlanProblem::Reader reader{unit, {forms, forms + processors}, {}};
    const double loss = cost(.005, .05);
    for (const Form from : {Form::f32, Form::bf16, Form::s16, Form::host})
      reader.loss[size_t(from)][size_t(Form::u8)] = loss;
    return reader;
  };
  const auto tensor = [&](int producer, const Form* forms) {
    PlanProblem::Tensor made{.name = "t" + std::to_string(producer), .producer = producer};
    made.form = producer == kNone ? std::vector{Form::host} : std::vector<Form>(forms, forms + processors);
    if (producer != kNone)
      made.loss[size_t(Form::u8)] = cost(.005, .05), made.loss[size_t(Form::s16)] = cost(.0001, .001);
    for (const Form from : kAllForms)
      for (const Form to : kAllForms)
        if (from != to) made.ms[size_t(from)][size_t(to)] = cost(.2, .6);
    return made;
  };
  problem.tensors.push_back(tensor(kNone, nullptr));
  problem.tensors.back().readers = {read(0, kPlain)};
  for (int u = 0; u < units; ++u) {
    const bool adds = u % block == 0;
    problem.tensors.push_back(tensor(u, adds ? kAdded : kPlain));
    auto& readers = problem.tensors.back().readers;
    if (u + 1 < units) readers.push_back(read(u + 1, kPlain));
    if (adds && u + block < units) readers.push_back(read(u + block, kAdded));
    if (u == 0 && units > block + 2) readers.push_back(read(units - 2, kAdded));
    if (u + 1 == units) readers.push_back({kNone, {Form::host}, {}});
    std::stable_sort(readers.begin(), readers.end(),
                     [](const auto& a, const auto& b) { return unsigned(a.unit) < unsigned(b.unit); });
  }
  return problem;
}

// Every unit reads all outputs before it: as many states as there can be.
inline PlanProblem dense_problem(int units, unsigned seed) {
  PlanProblem problem = chain_problem(units, units, 4, seed);
  std::mt19937 random(seed);
  for (auto& tensor : problem.tensors) {
    if (tensor.producer == kNone) continue;
    const auto host =
        tensor.readers.back().unit == kNone ? std::optional(tensor.readers.back()) : std::nullopt;
    tensor.form = {Form::f32, Form::bf16, Form::u8, Form::s16};
    tensor.readers.clear();
    for (int u = tensor.producer + 1; u < units; ++u) {
      tensor.readers.push_back({u, tensor.form, {}});
      for (const Form from : kAllForms)
        tensor.readers.back().loss[size_t(from)][size_t(Form::u8)] =
            std::uniform_real_distribution(.001, .01)(random);
    }
    if (host) tensor.readers.push_back(*host);
  }
  return problem;
}

// Calls visit(plan) for every assignment that the problem can run and the constraints allow.
template <class Visit>
void every_plan(const PlanProblem& problem, const PlanConstraints& constraints, const Visit& visit) {
  Assignment plan(problem.units.size(), 0);
  for (;;) {
    bool fits = constraints.max_switches < 0 || switches(plan) <= constraints.max_switches;
    for (size_t u = 0; fits && u < plan.size(); ++u)
      fits = !std::isinf(problem.units[u].ms[size_t(plan[u])]) &&
             (constraints.allowed.empty() || constraints.allowed[u][size_t(plan[u])]);
    if (fits && constraints.max_mj) fits = predicted_mj(problem, plan) <= *constraints.max_mj;
    if (fits) visit(plan);
    size_t u = 0;
    while (u < plan.size() && ++plan[u] == int(problem.processors.size())) plan[u++] = 0;
    if (u == plan.size()) return;
  }
}

// By looking at every plan.
inline std::vector<PlanPoint> front_by_force(const PlanProblem& problem,
                                             const PlanConstraints& constraints = {}) {
  std::vector<PlanPoint> all;
  every_plan(problem, constraints, [&](const Assignment& plan) {
    all.push_back({plan, predicted_ms(problem, plan), predicted_loss(problem, plan)});
  });
  std::sort(all.begin(), all.end(), [](const PlanPoint& a, const PlanPoint& b) {
    return a.ms != b.ms ? a.ms < b.ms : a.loss < b.loss;
  });
  std::vector<PlanPoint> front;
  for (const PlanPoint& point : all)
    if (front.empty() || point.loss < front.back().loss) front.push_back(point);
  return front;
}

}  // namespace fye
