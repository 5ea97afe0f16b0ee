#include "plan/strategies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "plan/testing_problems.h"

namespace fye {
namespace {

void expect_front(const PlanProblem& problem, const PlanConstraints& constraints,
                  const std::vector<PlanPoint>& front) {
  ASSERT_FALSE(front.empty());
  for (size_t i = 0; i < front.size(); ++i) {
    EXPECT_EQ(front[i].ms, predicted_ms(problem, front[i].plan));
    EXPECT_EQ(front[i].loss, predicted_loss(problem, front[i].plan));
    if (i > 0) {
      EXPECT_GT(front[i].ms, front[i - 1].ms);
      EXPECT_LT(front[i].loss, front[i - 1].loss);
    }
    for (size_t u = 0; u < constraints.allowed.size(); ++u)
      EXPECT_TRUE(constraints.allowed[u][size_t(front[i].plan[u])]);
    if (constraints.max_switches >= 0) {
      EXPECT_LE(switches(front[i].plan), constraints.max_switches);
    }
  }
}

PlanConstraints random_constraints(unsigned seed, size_t units, size_t processors) {
  std::mt19937 random(seed);
  PlanConstraints constraints;
  if (random() % 2 == 0) constraints.max_switches = int(2 + random() % 4);
  if (random() % 2 == 0)
    for (size_t u = 0; u < units; ++u) {
      constraints.allowed.emplace_back(processors, true);
      // One processor stays open to all, so that plans with few switches exist.
      if (random() % 3 == 0) constraints.allowed.back()[1 + random() % (processors - 1)] = false;
    }
  return constraints;
}

TEST(Strategies, GiveFrontsThatTheExactOneCovers) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    const PlanProblem problem = chain_problem(6, 2, 3, seed);
    const PlanConstraints constraints = random_constraints(seed, 6, 3);
    const auto exact = front_by_force(problem, constraints);
    const double ms = exact.back().ms * 1.1, loss = exact.front().loss * 1.1;
    const double best = hypervolume(exact, ms, loss);
    for (const auto& front :
         {greedy_plans(problem, constraints), random_plans(problem, constraints, 200, seed),
          prefix_plans(problem, constraints), suffix_plans(problem, constraints)}) {
      expect_front(problem, constraints, front);
      EXPECT_LE(hypervolume(front, ms, loss), best * (1 + 1e-12));
    }
  }
}

// What greedy is for: close to the best, and better than drawing lots.
TEST(Strategies, GreedyIsNearTheExactFront) {
  double greedy = 0, random = 0, exact = 0;
  for (unsigned seed = 0; seed < 5; ++seed) {
    const PlanProblem problem = chain_problem(20, 2, 4, seed);
    const auto all = exact_plans(problem);
    ASSERT_TRUE(all);
    const double ms = all->back().ms, loss = all->front().loss;
    exact += hypervolume(*all, ms, loss);
    greedy += hypervolume(greedy_plans(problem), ms, loss);
    random += hypervolume(random_plans(problem, {}, 500, seed), ms, loss);
  }
  EXPECT_GT(greedy, .8 * exact);
  EXPECT_GT(greedy, random);
}

TEST(Strategies, PrefixAndSuffixSwitchOnce) {
  const PlanProblem problem = chain_problem(8, 2, 2, 3);
  for (const PlanPoint& point : prefix_plans(problem)) {
    EXPECT_LE(switches(point.plan), 1);
    EXPECT_GE(point.plan.front(), point.plan.back()) << "the less true processor comes first";
  }
  for (const PlanPoint& point : suffix_plans(problem)) EXPECT_LE(point.plan.front(), point.plan.back());
}

TEST(Strategies, RandomIsTheSameForTheSameSeed) {
  const PlanProblem problem = chain_problem(8, 2, 4, 3);
  const auto a = random_plans(problem, {}, 50, 1), b = random_plans(problem, {}, 50, 1),
             c = random_plans(problem, {}, 50, 2);
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].plan, b[i].plan);
  EXPECT_TRUE(a.size() != c.size() || a[0].plan != c[0].plan);
}

TEST(Strategies, ImpossibleConstraintsLeaveNothing) {
  const PlanProblem problem = chain_problem(4, 2, 2, 3);
  const PlanConstraints nowhere{.allowed = std::vector(4, std::vector<bool>(2, false))};
  EXPECT_TRUE(greedy_plans(problem, nowhere).empty());
  EXPECT_TRUE(random_plans(problem, nowhere, 20, 1).empty());
  EXPECT_TRUE(prefix_plans(problem, nowhere).empty());
  EXPECT_FALSE(repair(problem, {0, 0, 0, 0}, 1e6, nowhere));
}

TEST(Hypervolume, OfRectangles) {
  EXPECT_EQ(hypervolume({}, 10, 10), 0);
  EXPECT_EQ(hypervolume({{{}, 2, 4}}, 10, 10), 8 * 6);
  EXPECT_EQ(hypervolume({{{}, 2, 4}, {{}, 5, 1}}, 10, 10), 3 * 6 + 5 * 9);
  EXPECT_EQ(hypervolume({{{}, 2, 4}, {{}, 12, 1}}, 10, 10), 8 * 6) << "later than the reference";
  EXPECT_EQ(hypervolume({{{}, 2, 40}}, 10, 10), 0) << "less true than the reference";
}

RC_GTEST_PROP(Hypervolume, GrowsWithEveryPointOfAFront, ()) {
  auto front = front_by_force(chain_problem(5, 2, 3, *rc::gen::inRange(0u, 1000u)));
  const double all = hypervolume(front, 1e3, 1e3);
  front.erase(front.begin() + *rc::gen::inRange<int>(0, int(front.size())));
  RC_ASSERT(hypervolume(front, 1e3, 1e3) < all);
}

TEST(Repair, MeetsEveryDeadlineThatCanBeMet) {
  double repaired = 0, best = 0;
  for (unsigned seed = 0; seed < 8; ++seed) {
    const PlanProblem problem = chain_problem(7, 2, 3, seed);
    const PlanConstraints constraints = random_constraints(seed, 7, 3);
    const auto exact = front_by_force(problem, constraints);
    std::mt19937 random(seed);
    for (const double share : {0., .2, .5, .9}) {
      const double deadline = exact.front().ms * (1 + 1e-9) + share * (exact.back().ms - exact.front().ms);
      Assignment plan;
      for (int u = 0; u < 7; ++u) plan.push_back(int(random() % 3));
      const auto point = repair(problem, plan, deadline, constraints);
      ASSERT_TRUE(point) << point.error().text();
      expect_front(problem, constraints, {*point});
      EXPECT_LE(point->ms, deadline);
      repaired += point->loss;
      best += plan_for(exact, deadline)->loss;
    }
  }
  EXPECT_LT(repaired, 1.3 * best);
}

TEST(Repair, LeavesNoIslandThatCostsMoreThanItGains) {
  PlanProblem problem;
  problem.processors = {"true", "fast"};
  problem.units = {{"a", {5, 1}, {0, 3}, {}}, {"b", {5, 1}, {0, 1}, {}}, {"c", {5, 1}, {0, 3}, {}}};
  for (int t = 0; t < 2; ++t) {
    PlanProblem::Tensor tensor{.name = "t", .producer = t, .form = {Form::f32, Form::u8}};
    tensor.readers = {{t + 1, {Form::f32, Form::u8}, {}}};
    tensor.ms[size_t(Form::f32)][size_t(Form::u8)] = tensor.ms[size_t(Form::u8)][size_t(Form::f32)] = 3;
    problem.tensors.push_back(tensor);
  }
  // True islands: b alone on the fast processor saves 4 and costs 6.
  const auto point = repair(problem, {0, 1, 0}, 17);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->plan, (Assignment{0, 0, 0}));
}

TEST(Repair, SaysHowFarADeadlineIsOut) {
  const PlanProblem problem = chain_problem(5, 2, 3, 1);
  const auto none = repair(problem, Assignment(5, 0), .1);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::deadline);
  EXPECT_THAT(none.error().what, ::testing::HasSubstr("too long"));
  EXPECT_EQ(repair(problem, Assignment(5, 0), -3).error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace fye
