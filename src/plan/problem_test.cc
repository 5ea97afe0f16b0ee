#include "plan/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "graph/random_graph.h"
#include "graph/zoo.h"
#include "plan/testing_problems.h"

namespace fye {
namespace {

using ::testing::HasSubstr;

std::vector<const Processor*> f32_and_int8() {
  return {*find_processor("cpu.f32", Isa::scalar), *find_processor("cpu.int8", Isa::scalar)};
}

Measured srcnn_measured() { return measured(fuse(srcnn(2, random_weights(1))), f32_and_int8(), 3, true); }

// conv1 and conv3 in float, conv2 in int8: every term by hand, from the files.
TEST(PlanProblem, CostsOfAChain) {
  const Measured m = srcnn_measured();
  const auto problem = m.problem();
  ASSERT_TRUE(problem) << problem.error().text();
  const auto hand = [&](const std::string& tensor, Form from, Form to) {
    for (const HandOver& h : m.profile.hand_overs)
      if (h.tensor == tensor && h.from == from && h.to == to) return h.time.ms;
    return -1e9;
  };
  const Graph& g = m.graph;
  const auto units = units_of(g);
  const auto out = [&](size_t u) {
    return g.tensors[size_t(g.nodes[size_t(units[u].nodes.back())].output)].name;
  };
  const std::string input = g.tensors[size_t(g.inputs[0])].name;
  const auto on = [&](size_t u, const char* p) { return m.profile.units[u].on.at(p).ms; };
  const double ms = m.profile.fixed_ms + on(0, "cpu.f32") + on(1, "cpu.int8") + on(2, "cpu.f32") +
                    hand(input, Form::host, Form::f32) + hand(out(0), Form::f32, Form::u8) +
                    hand(out(1), Form::u8, Form::f32) + hand(out(2), Form::f32, Form::host);
  EXPECT_EQ(predicted_ms(*problem, {0, 1, 0}), ms);

  const auto tensor_loss = [&](const std::string& name) {
    for (const TensorLoss& loss : m.losses.tensors)
      if (loss.tensor == name) return loss;
    return TensorLoss{};
  };
  TensorLoss read = tensor_loss(out(0));
  const double in =
      read.read.contains(units[1].name) ? read.read[units[1].name][Form::u8] : read.stored[Form::u8];
  EXPECT_EQ(predicted_loss(*problem, {0, 1, 0}),
            m.losses.units[1].on.at("cpu.int8") + in + tensor_loss(out(1)).stored[Form::u8]);
  EXPECT_EQ(predicted_loss(*problem, {0, 0, 0}), 0);
}

// A tensor that is read in its own form costs nothing, in one other form once, however many read it.
RC_GTEST_PROP(PlanProblem, FormsArePaidOnce, ()) {
  const auto seed = *rc::gen::inRange<uint64_t>(1, 100'000);
  const Measured m = measured(fuse(random_graph(seed)), f32_and_int8(), unsigned(seed), true);
  const auto problem = m.problem();
  RC_ASSERT(problem.ok());
  for (const auto& tensor : problem->tensors) {
    for (const Form form : kAllForms) RC_ASSERT(tensor.ms[size_t(form)][size_t(form)] == 0);
    int last = tensor.producer;
    for (const auto& reader : tensor.readers) {
      if (reader.unit == kNone) continue;
      RC_ASSERT(reader.unit > tensor.producer);
      RC_ASSERT(reader.unit >= last);
      last = reader.unit;
    }
  }
  const Assignment all_float(problem->units.size(), 0);
  RC_ASSERT(predicted_loss(*problem, all_float) == 0);
  // One processor: every tensor that a unit wrote is read in that form, so only the host's are left.
  double ms = problem->fixed_ms;
  for (const auto& unit : problem->units) ms += unit.ms[0];
  for (const auto& tensor : problem->tensors) {
    if (tensor.producer == kNone)
      ms += tensor.ms[size_t(Form::host)][size_t(Form::f32)];
    else if (tensor.readers.back().unit == kNone)
      ms += tensor.ms[size_t(Form::f32)][size_t(Form::host)];
  }
  RC_ASSERT(std::abs(predicted_ms(*problem, all_float) - ms) < 1e-9 * ms);
}

TEST(PlanProblem, AUnitWithoutATimeCannotRunThere) {
  Measured m = srcnn_measured();
  m.profile.units[1].on.erase("cpu.int8");
  const auto problem = m.problem();
  ASSERT_TRUE(problem) << problem.error().text();
  EXPECT_TRUE(std::isinf(predicted_ms(*problem, {0, 1, 0})));
  EXPECT_FALSE(std::isinf(predicted_ms(*problem, {1, 0, 1})));
}

TEST(PlanProblem, WithoutLossesEverythingIsTrue) {
  const Measured m = srcnn_measured();
  const auto problem = plan_problem(m.graph, &m.calib, m.processors, m.profile, nullptr);
  ASSERT_TRUE(problem);
  EXPECT_EQ(predicted_loss(*problem, {1, 1, 1}), 0);
}

TEST(PlanProblem, EnergyIsTimeByPower) {
  Measured m = srcnn_measured();
  EXPECT_TRUE(m.problem()->units[0].mj.empty());
  m.profile.watts = {{"cpu.f32", 20.}};
  EXPECT_TRUE(m.problem()->units[0].mj.empty()) << "one of two is not known";
  m.profile.watts["cpu.int8"] = 10;
  m.profile.units[1].on.erase("cpu.int8");
  const auto problem = m.problem();
  ASSERT_TRUE(problem);
  EXPECT_EQ(predicted_mj(*problem, {0, 0, 1}),
            20 * problem->units[0].ms[0] + 20 * problem->units[1].ms[0] + 10 * problem->units[2].ms[1]);
  EXPECT_TRUE(std::isinf(problem->units[1].mj[1]));
}

TEST(PlanProblem, FinerReadersLoseNothing) {
  const Measured m = srcnn_measured();
  const auto problem = m.problem();
  ASSERT_TRUE(problem);
  for (const auto& tensor : problem->tensors)
    for (const auto& reader : tensor.readers) {
      EXPECT_EQ(reader.loss[size_t(Form::u8)][size_t(Form::f32)], 0);
      EXPECT_EQ(reader.loss[size_t(Form::u8)][size_t(Form::u8)], 0);
    }
}

void expect_refused(const Measured& m, const std::string& says) {
  const auto problem = m.problem();
  ASSERT_FALSE(problem) << says;
  EXPECT_THAT(problem.error().text(), HasSubstr(says));
}

TEST(PlanProblem, RefusesFilesThatLackSomething) {
  Measured m = srcnn_measured();
  m.profile.units.pop_back();
  expect_refused(m, "the profile has no unit \"conv3\"");

  m = srcnn_measured();
  m.losses.units.pop_back();
  expect_refused(m, "the losses file has no unit \"conv3\"");

  m = srcnn_measured();
  m.losses.units[1].on.clear();
  expect_refused(m, "no part of unit \"conv2\" on cpu.int8");

  m = srcnn_measured();
  m.losses.tensors.clear();
  expect_refused(m, "the losses file has no part of tensor");

  m = srcnn_measured();
  m.profile.units[1].on = {};
  expect_refused(m, "none of the processors to plan for can run unit \"conv2\"");

  m = srcnn_measured();
  m.profile.processors = {"cpu.f32"};
  expect_refused(m, "no times on cpu.int8, only on cpu.f32");

  m = srcnn_measured();
  m.processors.clear();
  expect_refused(m, "no processors");
}

TEST(PlanProblem, RefusesMissingHandOversByName) {
  for (const auto& [from, to] :
       {std::pair{Form::host, Form::u8}, {Form::f32, Form::host}, {Form::u8, Form::f32}}) {
    Measured m = srcnn_measured();
    std::erase_if(m.profile.hand_overs, [&](const HandOver& h) { return h.from == from && h.to == to; });
    expect_refused(m, "the profile has no hand-over of tensor");
    expect_refused(m, "from " + std::string(name(from)) + " to " + std::string(name(to)));
  }
}

TEST(PlanProblem, RefusesFilesOfAnotherModel) {
  Measured m = srcnn_measured();
  m.profile.graph_sha256 = "def";
  expect_refused(m, "the profile is for another model file (sha256 def, not abc)");
  m = srcnn_measured();
  m.losses.graph_sha256 = "def";
  expect_refused(m, "the losses file is for another model file");
}

TEST(PlanProblem, NeedsACalibrationForBytes) {
  Measured m = srcnn_measured();
  m.calib.tensors.erase(m.calib.tensors.begin());
  EXPECT_FALSE(m.problem());
}

}  // namespace
}  // namespace fye
