#include "plan/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "plan/testing_problems.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

Assignment random_plan(const PlanProblem& problem, unsigned seed) {
  std::mt19937 random(seed);
  Assignment plan;
  for (size_t u = 0; u < problem.units.size(); ++u) plan.push_back(int(random() % problem.processors.size()));
  return plan;
}

RC_GTEST_PROP(Explain, UnitsAndHandOversAddUp, ()) {
  const unsigned seed = *rc::gen::inRange(0u, 100'000u);
  const PlanProblem problem = chain_problem(9, 2, 4, seed);
  const Assignment plan = random_plan(problem, seed);
  double ms = problem.fixed_ms;
  for (const UnitRow& row : explain_units(problem, plan)) {
    ms += row.ms[size_t(row.processor)];
    for (const auto& hand : row.hand_overs) ms += hand.ms;
  }
  RC_ASSERT(std::abs(ms - predicted_ms(problem, plan)) < 1e-9 * ms);
}

RC_GTEST_PROP(Explain, MovesDoWhatTheySay, ()) {
  const unsigned seed = *rc::gen::inRange(0u, 100'000u);
  const PlanProblem problem = chain_problem(7, 2, 3, seed);
  const Assignment plan = random_plan(problem, seed);
  const auto rows = explain_units(problem, plan);
  for (const UnitRow& row : rows) RC_ASSERT(row.moves.size() == 2u);
  for (const auto& move : {best_buy(rows), best_sale(rows)}) {
    if (!move) continue;
    Assignment moved = plan;
    moved[size_t(move->unit)] = move->processor;
    RC_ASSERT(std::abs(predicted_ms(problem, moved) - predicted_ms(problem, plan) - move->ms) < 1e-9);
    RC_ASSERT(std::abs(predicted_loss(problem, moved) - predicted_loss(problem, plan) - move->loss) < 1e-9);
  }
}

PlanProblem two_units() {
  PlanProblem problem;
  problem.processors = {"cpu.f32", "cpu.int8"};
  problem.units = {{"a", {9, 3}, {0, .25}, {}}, {"b", {8, 2}, {0, .5}, {}}};
  PlanProblem::Tensor tensor{.name = "t", .producer = 0, .form = {Form::f32, Form::u8}};
  tensor.readers = {{1, {Form::f32, Form::u8}, {}}};
  tensor.ms[size_t(Form::f32)][size_t(Form::u8)] = 1;
  problem.tensors = {tensor};
  return problem;
}

TEST(Explain, SaysWhatMovingBuysAndCosts) {
  const PlanProblem problem = two_units();
  const auto rows = explain_units(problem, {0, 1});
  EXPECT_EQ(
      reason_of(problem, rows[1]),
      "2.00 ms and 0.5000 here, after 1.00 ms of hand-overs; on cpu.f32 8.00 ms and 0: moving it there costs "
      "5.00 ms and buys 0.5000");
  EXPECT_EQ(
      reason_of(problem, rows[0]),
      "9.00 ms and 0 here; on cpu.int8 3.00 ms and 0.2500: moving it there saves 7.00 ms and loses 0.2500");
  EXPECT_EQ(best_buy(rows)->unit, 1);
  EXPECT_EQ(best_sale(rows)->unit, 0);
  EXPECT_FALSE(best_buy(explain_units(problem, {0, 0})));
  EXPECT_FALSE(best_sale(explain_units(problem, {1, 1})));
}

TEST(Explain, Summary) {
  const PlanProblem problem = two_units();
  EXPECT_EQ(summary_of(problem, {1, 1}), "all 2 units on cpu.int8");
  EXPECT_EQ(summary_of(problem, {1, 0}), "1 unit on cpu.f32, 1 on cpu.int8, 1 switch");
}

TEST(Explain, ReasonsStandInThePlan) {
  const PlanProblem problem = two_units();
  const Book book = book_of(problem, {{{0, 1}, 12, .5}}, {}, "exact");
  Plan plan = plan_of(book, book.entries[0]);
  add_reasons(plan, problem, {0, 1});
  EXPECT_THAT(plan.steps[0].reasons["a"], HasSubstr("9.00 ms"));
  EXPECT_THAT(plan.steps[1].reasons["b"], HasSubstr("buys 0.5000"));
  const auto back = assignment_of(problem, plan);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, (Assignment{0, 1}));
}

TEST(Explain, RefusesPlansOfOtherThings) {
  const PlanProblem problem = two_units();
  const auto refused = [&](const Plan& plan) {
    const auto result = assignment_of(problem, plan);
    return result ? std::string("accepted") : result.error().what;
  };
  EXPECT_THAT(refused({"", {{{"a", "b"}, "gpu", ""}}}), HasSubstr("gpu, which the profile has no times on"));
  EXPECT_THAT(refused({"", {{{"a", "x"}, "cpu.f32", ""}}}), HasSubstr("no unit \"x\""));
  EXPECT_THAT(refused({"", {{{"a"}, "cpu.f32", ""}}}), HasSubstr("does not say where unit \"b\""));
}

TEST(ParetoPlot, MarksEveryCornerAndTheChosen) {
  const PlanProblem problem = two_units();
  const Book book = book_of(problem, {{{1, 1}, 5, 4}, {{0, 1}, 10, 2}, {{0, 0}, 15, 0}}, {}, "exact");
  EXPECT_EQ(pareto_plot(book, 1, 21, 5),
            "loss (msef)\n"
            "         4 |*\n"
            "           |\n"
            "           |          o\n"
            "           |\n"
            "         0 |                    *\n"
            "           +---------------------\n"
            "            5               15 ms\n");
  EXPECT_EQ(pareto_plot({}, 0, 21, 5), "");
  const Book one = book_of(problem, {{{1, 1}, 5, 0}}, {}, "exact");
  EXPECT_THAT(pareto_plot(one, kNone, 10, 3), HasSubstr("*"));
}

}  // namespace
}  // namespace fye
