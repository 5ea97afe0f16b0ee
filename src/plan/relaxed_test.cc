#include "plan/relaxed.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "graph/random_graph.h"
#include "graph/zoo.h"
#include "plan/testing_problems.h"

namespace fye {
namespace {

Assignment random_plan(const PlanProblem& problem, std::mt19937& random) {
  Assignment plan;
  for (const auto& unit : problem.units) {
    int p;
    do p = int(random() % problem.processors.size());
    while (std::isinf(unit.ms[size_t(p)]));
    plan.push_back(p);
  }
  return plan;
}

Probabilities random_probabilities(const PlanProblem& problem, std::mt19937& random) {
  Probabilities a;
  for (const auto& unit : problem.units) {
    std::vector<double> row;
    double sum = 0;
    for (const double ms : unit.ms) {
      row.push_back(std::isinf(ms) ? 0 : std::uniform_real_distribution(.01, 1.)(random));
      sum += row.back();
    }
    for (double& value : row) value /= sum;
    a.push_back(row);
  }
  return a;
}

std::vector<const Processor*> cpu_processors() {
  std::vector<const Processor*> all;
  for (const Processor* p : processors(active_isa()))
    if (p->name() != "null") all.push_back(p);
  return all;
}

RC_GTEST_PROP(Relaxed, IsExactAtTheVertices, ()) {
  std::mt19937 random(*rc::gen::inRange<unsigned>(0, 1'000'000));
  const auto seed = *rc::gen::inRange<uint64_t>(1, 100'000);
  const PlanProblem problem =
      *rc::gen::arbitrary<bool>()
          ? chain_problem(int(2 + random() % 12), int(1 + random() % 4), int(1 + random() % 4),
                          unsigned(seed))
          : *measured(fuse(random_graph(seed)), cpu_processors(), unsigned(seed)).problem();
  for (int i = 0; i < 10; ++i) {
    const Assignment plan = random_plan(problem, random);
    const double exact = predicted_ms(problem, plan),
                 relaxed = relaxed_ms(problem, probabilities_of(problem, plan));
    RC_ASSERT(std::abs(exact - relaxed) <= 1e-9 * exact);
  }
}

void expect_gradient(const PlanProblem& problem, unsigned seed) {
  std::mt19937 random(seed);
  Probabilities a = random_probabilities(problem, random), gradient;
  relaxed_ms(problem, a, &gradient);
  constexpr double kStep = 1e-5;
  for (size_t u = 0; u < a.size(); ++u)
    for (size_t p = 0; p < a[u].size(); ++p) {
      if (std::isinf(problem.units[u].ms[p])) {
        EXPECT_EQ(gradient[u][p], 0);
        continue;
      }
      const double at = a[u][p];
      a[u][p] = at + kStep;
      const double more = relaxed_ms(problem, a);
      a[u][p] = at - kStep;
      const double less = relaxed_ms(problem, a);
      a[u][p] = at;
      EXPECT_NEAR(gradient[u][p], (more - less) / (2 * kStep), 1e-5) << "unit " << u << ", processor " << p;
    }
}

TEST(Relaxed, GradientIsThatOfDifferences) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    expect_gradient(chain_problem(9, 2, 4, seed), seed);
    expect_gradient(*measured(fuse(abpn(3, random_weights(1))), cpu_processors(), seed).problem(), seed);
    expect_gradient(
        *measured(fuse(small_classifier(16, random_weights(1))), cpu_processors(), seed).problem(), seed);
  }
}

// A tensor that two units want in one form is converted once: cheaper than the sum, dearer than either.
TEST(Relaxed, AFormIsPaidOnce) {
  PlanProblem problem;
  problem.processors = {"p", "q"};
  problem.units.assign(3, {"u", {0, 0}, {0, 0}, {}});
  PlanProblem::Tensor tensor{.name = "t", .producer = 0, .form = {Form::f32, Form::u8}};
  tensor.ms[size_t(Form::f32)][size_t(Form::u8)] = 1;
  tensor.readers = {{1, {Form::f32, Form::u8}, {}}, {2, {Form::f32, Form::u8}, {}}};
  problem.tensors = {tensor};
  EXPECT_DOUBLE_EQ(relaxed_ms(problem, {{1, 0}, {.5, .5}, {.5, .5}}), .75);
  EXPECT_DOUBLE_EQ(relaxed_ms(problem, {{1, 0}, {0, 1}, {0, 1}}), 1);
  EXPECT_DOUBLE_EQ(relaxed_ms(problem, {{.5, .5}, {0, 1}, {1, 0}}), .5);
}

TEST(Relaxed, AUnitThatCannotRunMustNotBeChosen) {
  PlanProblem problem;
  problem.processors = {"p", "q"};
  problem.units.assign(1, {"u", {3, std::numeric_limits<double>::infinity()}, {0, 0}, {}});
  EXPECT_EQ(relaxed_ms(problem, {{1, 0}}), 3);
  EXPECT_TRUE(std::isinf(relaxed_ms(problem, {{.9, .1}})));
}

}  // namespace
}  // namespace fye
