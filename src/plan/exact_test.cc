#include "plan/exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>

#include "graph/random_graph.h"
#include "graph/zoo.h"
#include "plan/testing_problems.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

std::vector<const Processor*> cpu_processors() {
  std::vector<const Processor*> all;
  for (const Processor* p : processors(active_isa()))
    if (p->name() != "null") all.push_back(p);
  return all;
}

std::vector<std::pair<double, double>> values(const std::vector<PlanPoint>& front) {
  std::vector<std::pair<double, double>> all;
  for (const PlanPoint& point : front) all.emplace_back(point.ms, point.loss);
  return all;
}

// On a grid of 1 ms, where costs in whole milliseconds are exact.
void expect_exact(const PlanProblem& problem, const PlanConstraints& constraints = {}) {
  ExactReport report;
  const auto front = exact_plans(problem, constraints, {.step_ms = 1}, &report);
  ASSERT_TRUE(front) << front.error().text();
  EXPECT_TRUE(report.exact);
  EXPECT_EQ(values(*front), values(front_by_force(problem, constraints)));
  for (const PlanPoint& point : *front) {
    EXPECT_EQ(point.ms, predicted_ms(problem, point.plan));
    EXPECT_EQ(point.loss, predicted_loss(problem, point.plan));
  }
}

TEST(Exact, IsTheFrontOfAllPlansOfSrcnn) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const auto problem = measured(fuse(srcnn(2, random_weights(1))), cpu_processors(), seed, true).problem();
    ASSERT_TRUE(problem) << problem.error().text();
    ASSERT_EQ(problem->units.size(), 3u);
    expect_exact(*problem);
  }
}

TEST(Exact, IsTheFrontOfAllPlansOfAbpn) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    const auto problem = measured(fuse(abpn(3, random_weights(1))), cpu_processors(), seed, true).problem();
    ASSERT_TRUE(problem) << problem.error().text();
    ASSERT_EQ(problem->units.size(), 7u);
    expect_exact(*problem);
  }
}

RC_GTEST_PROP(Exact, IsTheFrontOfAllPlansOfRandomGraphs, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(1, 100'000);
  const Graph graph = fuse(random_graph(seed, {.nodes = *rc::gen::inRange(4, 14)}));
  RC_PRE(units_of(graph).size() <= 6u);
  const auto problem = measured(graph, cpu_processors(), unsigned(seed), true).problem();
  RC_ASSERT(problem.ok());
  const auto front = exact_plans(*problem, {}, {.step_ms = 1});
  RC_ASSERT(front.ok());
  RC_ASSERT(values(*front) == values(front_by_force(*problem)));
}

PlanProblem whole(PlanProblem problem) {
  for (auto& unit : problem.units) {
    for (double& ms : unit.ms) ms = std::floor(ms * 4);
    for (double& loss : unit.loss) loss = std::floor(loss * 100);
    for (double& mj : unit.mj) mj = std::floor(mj);
  }
  for (auto& tensor : problem.tensors) {
    for (auto& row : tensor.ms)
      for (double& ms : row) ms = std::floor(ms * 8);
    for (double& loss : tensor.loss) loss = std::floor(loss * 100);
    for (auto& reader : tensor.readers)
      for (auto& row : reader.loss)
        for (double& loss : row) loss = std::floor(loss * 200);
  }
  return problem;
}

TEST(Exact, IsTheFrontOfAllPlansWithSkips) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    expect_exact(whole(chain_problem(7, 2, 4, seed)));
    expect_exact(whole(chain_problem(9, 3, 2, seed)));
  }
}

TEST(Exact, ObeysConstraints) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const PlanProblem problem = whole(chain_problem(6, 2, 3, seed));
    for (const int most : {0, 1, 2, 5, 6, 1000}) expect_exact(problem, {.max_switches = most});
    PlanConstraints constraints{.max_switches = 3};
    std::mt19937 random(seed);
    for (size_t u = 0; u < 6; ++u) {
      std::vector<bool> allowed = {random() % 2 == 0, random() % 2 == 0, random() % 2 == 0};
      allowed[random() % 3] = true;
      constraints.allowed.push_back(allowed);
    }
    bool any = false;
    every_plan(problem, constraints, [&](const Assignment&) { any = true; });
    if (any)
      expect_exact(problem, constraints);
    else
      EXPECT_EQ(exact_plans(problem, constraints).error().code, ErrorCode::deadline);
  }
}

TEST(Exact, KeepsWithinEnergy) {
  int binding = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    const PlanProblem problem = whole(chain_problem(6, 2, 3, seed));
    for (const double budget : {12., 18., 25., 60.}) {
      const PlanConstraints constraints{.max_mj = budget};
      bool any = false;
      every_plan(problem, constraints, [&](const Assignment&) { any = true; });
      if (any) {
        expect_exact(problem, constraints);
        binding += values(front_by_force(problem, constraints)) != values(front_by_force(problem));
      } else {
        const auto none = exact_plans(problem, constraints);
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, ErrorCode::deadline);
        EXPECT_THAT(none.error().hint, HasSubstr("thriftiest"));
      }
    }
  }
  EXPECT_GT(binding, 10);
}

// With costs that are no whole steps: no slower than it says, and no plan is missed by more than the
// rounding.
TEST(Exact, IsWithinAStepAUnitOfTheFront) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const PlanProblem problem = chain_problem(7, 2, 4, seed);
    ExactReport report;
    const auto front = exact_plans(problem, {}, {.steps = 500}, &report);
    ASSERT_TRUE(front);
    for (const PlanPoint& best : front_by_force(problem)) {
      const double allowed = best.ms + 7 * report.step_ms * (1 + 1e-6);
      EXPECT_TRUE(std::any_of(
          front->begin(), front->end(),
          [&](const PlanPoint& point) { return point.ms <= allowed && point.loss <= best.loss + 1e-9; }))
          << best.ms << " ms, loss " << best.loss;
    }
  }
}

TEST(Exact, OneProcessorMeansOnePlan) {
  const auto front = exact_plans(chain_problem(9, 2, 1, 3));
  ASSERT_TRUE(front);
  ASSERT_EQ(front->size(), 1u);
  EXPECT_EQ((*front)[0].plan, Assignment(9, 0));
}

TEST(Exact, WithoutLossesTheFastestIsAll) {
  PlanProblem problem = chain_problem(7, 2, 4, 1);
  for (auto& unit : problem.units) unit.loss.assign(4, 0);
  for (auto& tensor : problem.tensors) {
    tensor.loss = {};
    for (auto& reader : tensor.readers) reader.loss = {};
  }
  const auto front = exact_plans(problem);
  ASSERT_TRUE(front);
  ASSERT_EQ(front->size(), 1u);
  EXPECT_NEAR((*front)[0].ms, front_by_force(problem)[0].ms, 7 * (*front)[0].ms / (1 << 14));
}

TEST(Exact, AVerySlowProcessorDoesNotCoarsenTheGrid) {
  PlanProblem problem = chain_problem(7, 2, 3, 1);
  problem.processors.push_back("sloth");
  for (auto& unit : problem.units) unit.ms.push_back(1e7), unit.loss.push_back(9), unit.mj.push_back(1);
  for (auto& tensor : problem.tensors) {
    if (tensor.producer != kNone) tensor.form.push_back(Form::f32);
    for (auto& reader : tensor.readers)
      if (reader.unit != kNone) reader.form.push_back(Form::f32);
  }
  const auto front = exact_plans(problem), without = exact_plans(chain_problem(7, 2, 3, 1));
  ASSERT_TRUE(front && without);
  EXPECT_EQ(values(*front), values(*without));
}

TEST(Exact, RefusesWhatCannotBe) {
  PlanProblem problem = chain_problem(4, 2, 3, 1);
  PlanConstraints nothing{.allowed = std::vector(4, std::vector<bool>(3, true))};
  nothing.allowed[2].assign(3, false);
  auto result = exact_plans(problem, nothing);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().what, HasSubstr("\"u2\""));

  problem.units[1].ms[2] = std::numeric_limits<double>::infinity();
  PlanConstraints pinned{.allowed = std::vector(4, std::vector<bool>(3, true))};
  pinned.allowed[1] = {false, false, true};
  result = exact_plans(problem, pinned);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("\"u1\" can't run where it has to"));
  EXPECT_THAT(result.error().text(), HasSubstr("p0, p1"));

  problem.units[3].mj.clear();
  result = exact_plans(problem, {.max_mj = 1e9});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("energy of unit \"u3\" is not known"));

  problem.units[0].ms[0] = -1;
  EXPECT_EQ(exact_plans(problem).error().code, ErrorCode::internal);
  problem.units[0].ms[0] = std::nan("");
  EXPECT_EQ(exact_plans(problem).error().code, ErrorCode::internal);
}

// Plans of small problems that meet the deadline, by loss.
std::vector<double> losses_by_force(const PlanProblem& problem, double deadline, size_t count) {
  std::vector<double> losses;
  every_plan(problem, {}, [&](const Assignment& plan) {
    if (predicted_ms(problem, plan) <= deadline) losses.push_back(predicted_loss(problem, plan));
  });
  std::sort(losses.begin(), losses.end());
  losses.resize(std::min(losses.size(), count));
  return losses;
}

TEST(BestPlans, AreTheBestOfAllPlans) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    const PlanProblem problem = whole(chain_problem(6, 2, 4, seed));
    const auto front = front_by_force(problem);
    for (const double share : {0., .1, .4, .8, 1.5}) {
      const double deadline = std::floor(front[0].ms + share * (front.back().ms - front[0].ms));
      for (const int count : {1, 7, 32, 5000}) {
        const auto best = best_plans(problem, deadline, count, {}, {.step_ms = 1});
        ASSERT_TRUE(best) << best.error().text();
        std::vector<double> losses;
        std::vector<Assignment> plans;
        for (const PlanPoint& point : *best) {
          EXPECT_LE(point.ms, deadline);
          losses.push_back(point.loss);
          plans.push_back(point.plan);
        }
        EXPECT_EQ(losses, losses_by_force(problem, deadline, size_t(count)))
            << seed << " " << share << " " << count;
        std::sort(plans.begin(), plans.end());
        EXPECT_EQ(std::unique(plans.begin(), plans.end()), plans.end()) << "a plan is there twice";
      }
    }
  }
}

TEST(BestPlans, KeepWithinEnergy) {
  const PlanProblem problem = whole(chain_problem(6, 2, 3, 4));
  const PlanConstraints constraints{.max_mj = 25};
  const auto front = front_by_force(problem, constraints);
  const auto best = best_plans(problem, front.back().ms, 9, constraints, {.step_ms = 1});
  ASSERT_TRUE(best);
  EXPECT_EQ(best->size(), 9u);
  EXPECT_EQ((*best)[0].loss, front.back().loss);
  for (const PlanPoint& point : *best) EXPECT_LE(predicted_mj(problem, point.plan), 25);
}

TEST(BestPlans, SayHowFarADeadlineIsOut) {
  const PlanProblem problem = chain_problem(6, 2, 4, 1);
  const double fastest = front_by_force(problem)[0].ms;
  const auto none = best_plans(problem, fastest / 2, 4);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::deadline);
  EXPECT_THAT(none.error().what, HasSubstr("too long"));
  for (const double wrong : {0., -5., std::nan(""), HUGE_VAL})
    EXPECT_EQ(best_plans(problem, wrong, 4).error().code, ErrorCode::usage);
  const auto all = best_plans(problem, 1e12, 1);
  ASSERT_TRUE(all);
  EXPECT_EQ((*all)[0].loss, front_by_force(problem).back().loss);
}

TEST(PlanFor, TakesTheTruestThatIsInTime) {
  const std::vector<PlanPoint> front = {{{0}, 10, 5}, {{1}, 20, 3}, {{2}, 30, 1}};
  EXPECT_EQ(plan_for(front, 10)->plan[0], 0);
  EXPECT_EQ(plan_for(front, 29.9)->plan[0], 1);
  EXPECT_EQ(plan_for(front, 1e12)->plan[0], 2);
  const auto none = plan_for(front, 9.5);
  EXPECT_EQ(none.error().code, ErrorCode::deadline);
  EXPECT_THAT(none.error().what, HasSubstr("the fastest takes 10.000 ms, 0.500 ms too long"));
  for (const double wrong : {0., -1., std::nan("")})
    EXPECT_EQ(plan_for(front, wrong).error().code, ErrorCode::usage);
}

TEST(Exact, SaysSoWhereItLeavesStatesOut) {
  const PlanProblem small = dense_problem(7, 5);
  ExactReport report;
  const auto all = exact_plans(small, {}, {}, &report);
  ASSERT_TRUE(all);
  EXPECT_TRUE(report.exact);
  const auto some = exact_plans(small, {}, {.most_states = 64}, &report);
  EXPECT_FALSE(report.exact);
  ASSERT_TRUE(some);
  for (const PlanPoint& point : *some)
    EXPECT_GE(point.loss, plan_for(*all, point.ms * (1 + 1e-3))->loss - 1e-9);

  const auto large = exact_plans(dense_problem(30, 5), {}, {.most_states = 2048}, &report);
  ASSERT_TRUE(large);
  EXPECT_FALSE(report.exact);
  EXPECT_GT(large->size(), 20u);
  const auto best = best_plans(dense_problem(30, 5), large->back().ms, 4, {}, {.most_states = 2048}, &report);
  ASSERT_TRUE(best);
  EXPECT_FALSE(report.exact);
}

// Few labels: a coarser grid that is reported, and in the end a choice of them.
TEST(Exact, KeepsWithinItsLabels) {
  const PlanProblem problem = chain_problem(30, 2, 4, 3);
  ExactReport full, coarse, thin;
  const auto all = exact_plans(problem, {}, {}, &full);
  ASSERT_TRUE(all);
  const int most = int(full.labels * 9 / 10);
  const auto some = exact_plans(problem, {}, {.most_labels = most}, &coarse);
  const auto few = exact_plans(problem, {}, {.most_labels = 1024}, &thin);
  ASSERT_TRUE(some && few);
  EXPECT_TRUE(full.exact);
  EXPECT_TRUE(coarse.exact) << coarse.labels << " labels after " << full.labels;
  EXPECT_GT(coarse.step_ms, full.step_ms);
  EXPECT_LE(coarse.labels, size_t(most));
  EXPECT_FALSE(thin.exact);
  for (const auto& front : {*some, *few})
    for (const PlanPoint& point : front)
      EXPECT_GE(point.loss, plan_for(*all, point.ms + 30 * full.step_ms)->loss - 1e-9);
}

TEST(Exact, LargeNetworksAreExactAndFast) {
  for (const auto& [units, block] : {std::pair{36, 2}, {75, 3}}) {
    const PlanProblem problem = chain_problem(units, block, 4, 7);
    ExactReport report;
    const auto begin = std::chrono::steady_clock::now();
    const auto front = exact_plans(problem, {}, {}, &report);
    const double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    ASSERT_TRUE(front);
    EXPECT_TRUE(report.exact);
    EXPECT_GT(front->size(), 100u);
    printf("%d units: %.0f ms, %zu states, %zu labels, %zu plans, step %.4f ms of %.1f to %.1f\n", units, ms,
           report.states, report.labels, front->size(), report.step_ms, front->front().ms, front->back().ms);
  }
}

}  // namespace
}  // namespace fye
