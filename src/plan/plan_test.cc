#include "plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "graph/passes/passes.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

Graph net() {
  Graph graph = fuse(abpn(3, random_weights(1)));
  graph.sha256 = "abc";
  return graph;
}

void expect_refused(const Plan& plan, const Graph& graph, const std::string& says) {
  const auto result = placement_of(plan, graph, Isa::scalar);
  ASSERT_FALSE(result) << says;
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().text(), HasSubstr(says));
}

TEST(Plan, UniformPutsEveryNodeThere) {
  const Graph graph = net();
  for (const char* name : {"cpu.f32", "cpu.int8"}) {
    const Plan plan = uniform_plan(graph, name);
    EXPECT_EQ(plan.graph_sha256, "abc");
    ASSERT_EQ(plan.steps.size(), 1u);
    EXPECT_EQ(plan.steps[0].units.size(), 7u);
    const auto placement = placement_of(plan, graph, Isa::scalar);
    ASSERT_TRUE(placement) << placement.error().text();
    ASSERT_EQ(placement->size(), graph.nodes.size());
    for (const Processor* processor : *placement) EXPECT_EQ(processor->name(), name);
  }
}

RC_GTEST_PROP(Plan, EveryNodeRunsWhereItsUnitIsPut, ()) {
  const Graph graph = net();
  const std::vector<Unit> units = units_of(graph);
  std::vector<bool> int8;
  Plan plan{"abc", {{{}, "cpu.f32", ""}, {{}, "cpu.int8", ""}}};
  for (const Unit& unit : units) {
    int8.push_back(*rc::gen::arbitrary<bool>());
    plan.steps[int8.back()].units.push_back(unit.name);
  }
  const auto placement = placement_of(plan, graph, Isa::scalar);
  RC_ASSERT(placement.ok());
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) {
      const Processor* processor = (*placement)[size_t(node)];
      RC_ASSERT(processor != nullptr);
      RC_ASSERT(processor->name() == (int8[u] ? "cpu.int8" : "cpu.f32"));
    }
}

TEST(Plan, AGraphMadeInMemoryTakesAnyPlan) {
  Graph graph = net();
  graph.sha256.clear();
  Plan plan = uniform_plan(graph, "cpu.f32");
  plan.graph_sha256 = "of another";
  EXPECT_TRUE(placement_of(plan, graph, Isa::scalar));
}

TEST(Plan, Refusals) {
  const Graph graph = net();
  const Plan good = uniform_plan(graph, "cpu.f32");

  Plan plan = good;
  plan.graph_sha256 = "def";
  expect_refused(plan, graph, "another model");

  plan = good;
  plan.steps[0].processor = "npu9";
  expect_refused(plan, graph, "npu9");
  expect_refused(plan, graph, "cpu.int8");  // the hint lists those there are

  plan = good;
  plan.steps[0].units.push_back("conv99");
  expect_refused(plan, graph, "no unit \"conv99\"");
  expect_refused(plan, graph, "conv1, conv2");

  plan = good;
  plan.steps.push_back({{good.steps[0].units[2]}, "cpu.int8", ""});
  expect_refused(plan, graph, "step 2: unit \"" + good.steps[0].units[2] + "\" is in step 1 already");

  plan = good;
  plan.steps[0].units.erase(plan.steps[0].units.begin() + 3);
  expect_refused(plan, graph, good.steps[0].units[3]);

  plan = {};
  expect_refused(plan, graph, "does not say where");
}

TEST(Plan, RefusesANodeThatTheProcessorCannotRun) {
  const Graph graph = fuse(small_classifier(16, random_weights(1)));
  expect_refused(uniform_plan(graph, "cpu.int8"), graph, "cpu.int8 can't run node");
  expect_refused(uniform_plan(graph, "cpu.int8"), graph, "integer form");
  EXPECT_TRUE(placement_of(uniform_plan(graph, "cpu.f32"), graph, Isa::scalar));
}

TEST(Plan, RefusesUnitsOfOneName) {
  Graph graph = net();
  const auto units = units_of(graph);
  for (Node& node : graph.nodes)
    if (node.name == units[1].name) node.name = units[0].name;
  expect_refused(uniform_plan(graph, "cpu.f32"), graph, "two units");
}

Plan shared_plan(const Graph& graph, Sharing::By by, const std::string& second = "cpu.f32") {
  Plan plan = uniform_plan(graph, "");
  plan.steps[0].sharing = Sharing{.by = by, .shares = {{"cpu.f32@core0", .5}, {second, .5}}};
  return plan;
}

TEST(Plan, SharedWorkIsForItsOwnExecutors) {
  const Graph graph = net();
  for (const auto by : {Sharing::By::rows, Sharing::By::channels}) {
    const Plan plan = shared_plan(graph, by);
    EXPECT_TRUE(is_shared(plan));
    expect_refused(plan, graph, "side by side");
    const auto work = work_of(plan, graph, Isa::scalar);
    ASSERT_TRUE(work) << work.error().text();
    ASSERT_EQ(work->stages.size(), 1u);
    EXPECT_EQ(work->stages[0].cut, by == Sharing::By::rows ? Cut::rows : Cut::channels);
    EXPECT_EQ(work->stages[0].shares[0].processor->core(), 0);
    EXPECT_EQ(work->stages[0].shares[1].processor->core(), -1);
    EXPECT_EQ(work->stage_of, std::vector<int>(graph.nodes.size(), 0));
  }
  const auto patches = work_of(shared_plan(graph, Sharing::By::patches), graph, Isa::scalar);
  ASSERT_TRUE(patches);
  EXPECT_EQ(patches->patches.size(), 2u);
  EXPECT_FALSE(is_shared(uniform_plan(graph, "cpu.f32")));
  EXPECT_TRUE(is_shared(uniform_plan(graph, "cpu.f32@core0")));
}

TEST(Plan, SharedWorkThatCannotBe) {
  const Graph graph = net();
  const auto refused = [&](const Plan& plan, const std::string& says) {
    const auto work = work_of(plan, graph, Isa::scalar);
    ASSERT_FALSE(work) << says;
    EXPECT_THAT(work.error().text(), HasSubstr(says));
  };
  refused(shared_plan(graph, Sharing::By::rows, "npu9"), "npu9");
  refused(shared_plan(graph, Sharing::By::rows, "cpu.f32@core999"), "core999");
  refused(shared_plan(graph, Sharing::By::rows, "cpu.f32@core"), "there are");
  refused(shared_plan(graph, Sharing::By::rows, "null@core0"), "there are");
  Plan plan = shared_plan(graph, Sharing::By::patches);
  const std::string last = plan.steps[0].units.back();
  plan.steps[0].units.pop_back();
  refused(plan, "does not say where");
  plan.steps.push_back({{last}, "cpu.f32", ""});
  refused(plan, "whole network");
}

}  // namespace
}  // namespace fye
