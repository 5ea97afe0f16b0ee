#include "profile/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/spearman.h"
#include "execute/calibrate.h"
#include "execute/fidelity.h"
#include "execute/plain.h"
#include "execute/stepper.h"
#include "execute/testing_graphs.h"
#include "graph/units.h"

namespace fye {
namespace {

using testing::TestPicture;

const Processor* named(std::string_view name) { return *find_processor(name, active_isa()); }

std::vector<const Processor*> both() { return {named("cpu.f32"), named("cpu.int8")}; }

TEST(Sensitivity, SumsPredictMixedPlans) {
  const Graph graph = testing::small_abpn(2, 12);
  TestPicture picture(24, 24, 3);
  const Map crop = picture.map();
  ThreadPool pool(2);
  // Real ranges: parts add up as far as errors are small.
  const auto calibrated = calibrate(graph, std::span(&crop, 1), {}, pool);
  ASSERT_TRUE(calibrated) << calibrated.error().text();
  const Calib& calib = *calibrated;
  const auto losses = measure_losses(graph, &calib, named("cpu.f32"), both(), std::span(&crop, 1), {}, pool);
  ASSERT_TRUE(losses) << losses.error().text();
  ASSERT_EQ(losses->units.size(), units_of(graph).size());
  EXPECT_EQ(losses->crops, 1);
  EXPECT_EQ(losses->pictures.size(), 16u);

  // A chain: a tensor costs once if its producer or its reader is int8. Written out here from the formula.
  const std::vector<Unit> units = units_of(graph);
  auto stepper = Stepper::create(graph, &calib, named("cpu.f32"), crop, pool);
  ASSERT_TRUE(stepper);
  std::vector<double> predicted, truth;
  for (unsigned mask = 1; mask < 1u << units.size(); ++mask) {
    std::vector<const Processor*> placement = everywhere(graph, named("cpu.f32"));
    double sum = 0;
    for (size_t u = 0; u < units.size(); ++u) {
      if (!(mask >> u & 1)) continue;
      for (int node : units[u].nodes) placement[size_t(node)] = named("cpu.int8");
      sum += losses->units[u].on.at("cpu.int8");
    }
    for (const TensorLoss& tensor : losses->tensors) {
      TensorId id = 0;
      while (graph.tensors[size_t(id)].name != tensor.tensor) ++id;
      const int writer = graph.producer(id);
      bool bytes = writer != kNone && placement[size_t(writer)] == named("cpu.int8");
      for (int reader : graph.consumers(id)) bytes = bytes || placement[size_t(reader)] == named("cpu.int8");
      if (const auto found = tensor.stored.find(Form::u8); bytes && found != tensor.stored.end())
        sum += found->second;
    }
    const auto out = stepper->output(placement);
    ASSERT_TRUE(out);
    predicted.push_back(sum);
    truth.push_back(msef(*out, stepper->base_output(), {}));
  }
  EXPECT_GT(spearman(predicted, truth), 0.9);
  // Both ends were asked, so that the sum is right for everything in int8 too, but for what was cut off at 0.
  EXPECT_NEAR(predicted.back() / truth.back(), 1, 0.25);
}

TEST(Sensitivity, EverythingAloneIsWhatAPlainRunFinds) {
  const Graph graph = testing::branched();
  const Calib calib = testing::made_up_calib(graph);
  TestPicture one(18, 20, 3, 1), two(16, 24, 3, 2);
  const Map crops[] = {one.map(), two.map()};
  ThreadPool pool(1), three(3);
  const auto losses = measure_losses(graph, &calib, named("cpu.f32"), both(), crops, {}, pool);
  ASSERT_TRUE(losses) << losses.error().text();
  // The same for any number of threads.
  const auto again = measure_losses(graph, &calib, named("cpu.f32"), both(), crops, {}, three);
  ASSERT_TRUE(again);
  for (size_t u = 0; u < losses->units.size(); ++u) EXPECT_EQ(losses->units[u].on, again->units[u].on);
  for (size_t t = 0; t < losses->tensors.size(); ++t) {
    EXPECT_EQ(losses->tensors[t].stored, again->tensors[t].stored);
    EXPECT_EQ(losses->tensors[t].read, again->tensors[t].read);
  }
  for (const UnitLoss& unit : losses->units)
    for (const auto& [processor, loss] : unit.on) {
      EXPECT_TRUE(std::isfinite(loss));
      EXPECT_GE(loss, 0);
    }
  // The head is read by several units: each has a part of its own.
  const auto head = std::find_if(losses->tensors.begin(), losses->tensors.end(), [&](const TensorLoss& t) {
    return t.tensor == graph.tensors[size_t(graph.nodes[0].output)].name;
  });
  ASSERT_NE(head, losses->tensors.end());
  EXPECT_GE(head->read.size(), 2u);
  // The input is a picture of bytes already: nothing is lost there.
  EXPECT_EQ(losses->tensors[0].stored.at(Form::u8), 0);
}

TEST(Sensitivity, SaysWhatItNeeds) {
  const Graph graph = testing::small_abpn();
  ThreadPool pool(1);
  EXPECT_FALSE(measure_losses(graph, nullptr, named("cpu.f32"), both(), {}, {}, pool));
  TestPicture grey(16, 16, 1);
  const Map crop = grey.map();
  EXPECT_FALSE(measure_losses(graph, nullptr, named("cpu.f32"), both(), std::span(&crop, 1), {}, pool));
  // Without a calibration int8 is simply not there.
  TestPicture picture(16, 16, 3);
  const Map right = picture.map();
  const auto losses =
      measure_losses(graph, nullptr, named("cpu.f32"), both(), std::span(&right, 1), {}, pool);
  ASSERT_TRUE(losses) << losses.error().text();
  for (const UnitLoss& unit : losses->units) EXPECT_EQ(unit.on.count("cpu.int8"), 0u);
}

}  // namespace
}  // namespace fye
