#include "plan/rivals.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "execute/testing_graphs.h"
#include "graph/passes/passes.h"
#include "graph/zoo.h"

namespace fye {
namespace {

const RivalPair kTwoCores{"cpu.f32@core0", "cpu.f32@core1", true};

Graph small_net() {
  Graph graph = fuse(abpn(3, random_weights(1)));
  graph.sha256 = "abc";
  return graph;
}

std::vector<Shape> shapes_at(const Graph& graph, int height, int width) {
  return *infer_shapes(graph, {{1, graph.tensors[size_t(graph.inputs[0])].shape[1], height, width}});
}

CodlCosts even_costs(const Graph& graph, double wait, int height = 96) {
  CodlCosts costs{.shapes = shapes_at(graph, height, 64), .unit_ms = {}, .wait_ms = wait};
  for (size_t u = 0; u < units_of(graph).size(); ++u)
    costs.unit_ms.push_back({2. + double(u), 2. + double(u)});
  return costs;
}

double all_alone(const CodlCosts& costs) {
  double ms = 0;
  for (const auto& unit : costs.unit_ms) ms += unit[0];
  return ms;
}

TEST(Codl, CheapWaitsCutEveryUnitDearOnesMakeOneChain) {
  const Graph graph = small_net();
  const auto cheap = codl_plan(graph, kTwoCores, even_costs(graph, 0), RivalForm::strong);
  ASSERT_TRUE(cheap);
  EXPECT_EQ(cheap->plan.steps.size(), 7u);
  EXPECT_NEAR(cheap->ms, all_alone(even_costs(graph, 0)) / 2, 1e-9);
  const auto dear = codl_plan(graph, kTwoCores, even_costs(graph, 3), RivalForm::strong);
  ASSERT_TRUE(dear);
  EXPECT_EQ(dear->plan.steps.size(), 1u);
  ASSERT_TRUE(dear->plan.steps[0].sharing);
  EXPECT_EQ(dear->plan.steps[0].sharing->by, Sharing::By::rows);
  // Half the work, some halo rows, and a wait.
  EXPECT_GT(dear->ms, all_alone(even_costs(graph, 0)) / 2 + 3);
  EXPECT_LT(dear->ms, all_alone(even_costs(graph, 0)) / 2 * 1.2 + 3);
}

TEST(Codl, AWaitThatCostsMoreThanTheNetworkLeavesOneProcessor) {
  const Graph graph = small_net();
  for (const RivalForm form : {RivalForm::faithful, RivalForm::strong}) {
    const auto plan = codl_plan(graph, kTwoCores, even_costs(graph, 1000), form);
    ASSERT_TRUE(plan);
    for (const PlanStep& step : plan->plan.steps) EXPECT_FALSE(step.sharing);
    EXPECT_NEAR(plan->ms, all_alone(even_costs(graph, 0)), 1e-9);
  }
}

TEST(Codl, TakingTurnsIsNeverWorthSharing) {
  const Graph graph = small_net();
  const RivalPair turns{"cpu.f32", "cpu.bf16", false};
  const auto plan = codl_plan(graph, turns, even_costs(graph, .1), RivalForm::strong);
  ASSERT_TRUE(plan);
  for (const PlanStep& step : plan->plan.steps) EXPECT_FALSE(step.sharing);
}

// Every unit is placed once and in order, ratios are on the grid, and the exact planner is never behind the
// greedy one by more than their grids differ (its grid holds the greedy one's).
RC_GTEST_PROP(Codl, ExactIsNeverBehindGreedy, ()) {
  const Graph graph = *rc::gen::arbitrary<bool>() ? small_net() : testing::branched();
  CodlCosts costs{.shapes = shapes_at(graph, *rc::gen::inRange(8, 80), 40),
                  .unit_ms = {},
                  .wait_ms = *rc::gen::inRange(0, 300) / 100.};
  const auto units = units_of(graph);
  for (size_t u = 0; u < units.size(); ++u)
    costs.unit_ms.push_back({*rc::gen::inRange(1, 900) / 100., *rc::gen::inRange(1, 900) / 100.});
  const auto strong = codl_plan(graph, kTwoCores, costs, RivalForm::strong),
             faithful = codl_plan(graph, kTwoCores, costs, RivalForm::faithful);
  RC_ASSERT(strong.ok() && faithful.ok());
  RC_ASSERT(strong->ms <= faithful->ms + 1e-9);
  for (const auto* made : {&*strong, &*faithful}) {
    std::vector<std::string> placed;
    for (const PlanStep& step : made->plan.steps) {
      placed.insert(placed.end(), step.units.begin(), step.units.end());
      RC_ASSERT(step.sharing.has_value() == step.processor.empty());
    }
    RC_ASSERT(placed.size() == units.size());
    for (size_t u = 0; u < units.size(); ++u) RC_ASSERT(placed[u] == units[u].name);
    RC_ASSERT(work_of(made->plan, graph, Isa::scalar).ok() || available_cores() < 2);
  }
}

// The exact planner against every way there is to cut a chain of few units.
TEST(Codl, ExactEqualsExhaustiveSearch) {
  const Graph graph = small_net();
  const CodlCosts costs = even_costs(graph, .7, 40);
  const auto best = codl_plan(graph, kTwoCores, costs, RivalForm::strong);
  ASSERT_TRUE(best);
  // What a chain costs is asked of the planner itself, with all but that chain free.
  const size_t n = costs.unit_ms.size();
  std::vector<std::vector<double>> chain(n, std::vector<double>(n + 1, 0));
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i + 1; j <= n; ++j) {
      double least = INFINITY;
      for (int part = 0; part <= 20; ++part) {
        // Rows of each unit's output that a stripe needs: one more on each side for each 3x3 layer after it.
        double ms[2] = {};
        for (int p = 0; p < 2; ++p) {
          const double share = p == 0 ? part / 20. : 1 - part / 20.;
          if (share == 0) continue;
          const bool shuffled = j == n;  // the last unit ends in the shuffle: its rows are a third
          const int full = shuffled ? 120 : 40;
          int rows = std::clamp(int(std::lround(share * full)), 1, full);
          if (shuffled) rows = (rows + 2) / 3;
          double sum = 0;
          for (size_t u = j; u-- > i;) {
            sum += costs.unit_ms[u][0] * std::min(40, rows) / 40.;
            ++rows;
          }
          ms[p] = sum;
        }
        least = std::min(least, std::max(ms[0], ms[1]) + (ms[0] > 0 && ms[1] > 0 ? .7 : 0));
      }
      chain[i][j] = least;
    }
  double least = INFINITY;
  for (unsigned cuts = 0; cuts < (1u << (n - 1)); ++cuts) {
    double ms = 0;
    size_t from = 0;
    for (size_t j = 1; j <= n; ++j)
      if (j == n || (cuts >> (j - 1) & 1)) ms += chain[from][j], from = j;
    least = std::min(least, ms);
  }
  // Nodes without multiplications weigh little beside the convolutions.
  EXPECT_NEAR(best->ms, least, .02 * least);
}

ChannelTimes times_of(size_t units, const std::vector<double>& ms) {
  ChannelTimes times;
  for (size_t i = 0; i < ms.size(); ++i) times.parts.push_back(double(i) / double(ms.size() - 1));
  times.ms.assign(units, ms);
  return times;
}

TEST(Ulayer, StrongTakesWhatWasFastest) {
  const Graph graph = small_net();
  const RivalPair pair{"cpu.f32@core0", "cpu.int8@core1", true};
  const auto shared =
      ulayer_plan(graph, pair, shapes_at(graph, 32, 32), times_of(7, {5, 3, 4, 8, 9}), RivalForm::strong);
  ASSERT_TRUE(shared);
  ASSERT_EQ(shared->plan.steps.size(), 1u);
  EXPECT_EQ(shared->plan.steps[0].sharing->by, Sharing::By::channels);
  EXPECT_EQ(shared->plan.steps[0].sharing->shares[0].part, .25);
  EXPECT_DOUBLE_EQ(shared->ms, 21);
  const auto one =
      ulayer_plan(graph, pair, shapes_at(graph, 32, 32), times_of(7, {1, 3, 4, 8, 9}), RivalForm::strong);
  EXPECT_EQ(one->plan.steps[0].sharing->shares[1].part, 1);
}

TEST(Ulayer, FaithfulAlwaysShares) {
  const Graph graph = small_net();
  const RivalPair pair{"cpu.f32@core0", "cpu.int8@core1", true};
  const auto plan = ulayer_plan(graph, pair, shapes_at(graph, 32, 32), times_of(7, {1, 30, 40, 80, 90}),
                                RivalForm::faithful);
  ASSERT_TRUE(plan);
  for (const PlanStep& step : plan->plan.steps) {
    ASSERT_TRUE(step.sharing);
    EXPECT_GT(step.sharing->shares[0].part, 0);
    EXPECT_GT(step.sharing->shares[1].part, 0);
  }
}

// Whatever was measured, and in however much noise: no prediction is below 0, since each weight of the regression isn't.
RC_GTEST_PROP(Ulayer, NoTimeIsPredictedBelowZero, ()) {
  const Graph graph = small_net();
  const RivalPair pair{"cpu.f32@core0", "cpu.int8@core1", *rc::gen::arbitrary<bool>()};
  ChannelTimes times{.parts = {0, .5, 1}, .ms = {}};
  for (int u = 0; u < 7; ++u) {
    const auto ms = *rc::gen::container<std::vector<int>>(3, rc::gen::inRange(0, 1000));
    times.ms.emplace_back(ms.begin(), ms.end());
  }
  const auto plan = ulayer_plan(graph, pair, shapes_at(graph, 32, 32), times, RivalForm::faithful);
  RC_ASSERT(bool(plan));
  RC_ASSERT(plan->ms >= 0);
  for (const PlanStep& step : plan->plan.steps) RC_ASSERT(bool(step.sharing));
}

MobisrCosts patch_costs() {
  return {.rules = {{40, 8}, {80, 8}}, .patch_ms = {{4, 1}, {14, 3.2}}, .height = 80, .width = 160};
}

TEST(Mobisr, AsMuchAccurateAsTheDeadlineAllows) {
  const Graph graph = small_net();
  const RivalPair pair{"cpu.f32@core0", "cpu.int8@core1", true};
  // 8 patches of 40: 3 accurate take 12 ms; 2 of 80: none is done in 13 ms.
  const auto plan = mobisr_plan(graph, pair, patch_costs(), {.deadline_ms = 13});
  ASSERT_TRUE(plan);
  const Sharing& sharing = *plan->plan.steps[0].sharing;
  EXPECT_EQ(sharing.patches.size, 40);
  EXPECT_DOUBLE_EQ(sharing.shares[0].part, 3. / 8);
  EXPECT_EQ(sharing.shares[0].processor, "cpu.f32@core0");
  EXPECT_DOUBLE_EQ(plan->ms, 12);
  // Larger patches win where both can be all accurate.
  EXPECT_EQ(
      mobisr_plan(graph, pair, patch_costs(), {.deadline_ms = 100})->plan.steps[0].sharing->patches.size, 80);
}

TEST(Mobisr, TheFastestSplitWhereNoneIsInTime) {
  const Graph graph = small_net();
  const auto plan = mobisr_plan(graph, {"a", "b", true}, patch_costs(), {.deadline_ms = 1});
  ASSERT_TRUE(plan);
  EXPECT_DOUBLE_EQ(plan->ms, 6.4);  // 0 of 2 accurate
  // In turns, every accurate patch costs 3 ms on top of 8.
  EXPECT_DOUBLE_EQ(mobisr_plan(graph, {"a", "b", false}, patch_costs(), {.deadline_ms = 13})
                       ->plan.steps[0]
                       .sharing->shares[0]
                       .part,
                   1. / 8);
}

TEST(Mobisr, TheOtherReadingAndFixedThresholds) {
  const Graph graph = small_net();
  MobisrOptions options{.deadline_ms = 13, .hard_to_fast = true, .variation = {1, 2, 3, 4, 5, 6, 7, 8}};
  const auto plan = mobisr_plan(graph, {"cpu.f32@core0", "cpu.int8@core1", true}, patch_costs(), options);
  ASSERT_TRUE(plan);
  const Sharing& sharing = *plan->plan.steps[0].sharing;
  EXPECT_EQ(sharing.shares[0].processor, "cpu.int8@core1");
  EXPECT_DOUBLE_EQ(sharing.shares[0].part, 5. / 8);
  EXPECT_EQ(sharing.shares[0].above, 3);  // 4 to 8 are above
}

}  // namespace
}  // namespace fye
