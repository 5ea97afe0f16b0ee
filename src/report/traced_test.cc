#include "report/traced.h"

#include <gtest/gtest.h>

#include "report/testing_report.h"
#include "runtime/upscale.h"

namespace fye {
namespace {

Picture some_picture() {
  Picture picture(40, 30, 3);
  for (size_t i = 0; i < picture.samples(); ++i) picture.u8()[i] = uint8_t(i * 7 % 256);
  return picture;
}

TEST(Traced, RunsEachPlanAsOftenAndGivesItsPicture) {
  const Model model = testing::small_model();
  const std::vector<Plan> plans = {testing::plan_on(model.graph, {"cpu.f32"}), testing::plan_on(model.graph, {"cpu.int8"})};
  ThreadPool pool(2);
  const Picture picture = some_picture();
  double told = 0;
  const auto runs = run_traced(model, plans, picture, {.rounds = 3, .upscale = {}}, pool, [&](double done) { told = done; });
  ASSERT_TRUE(runs) << runs.error().text();
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_EQ(told, 1);
  for (size_t p = 0; p < plans.size(); ++p) {
    const TracedRun& run = (*runs)[p];
    ASSERT_EQ(run.frames.size(), 3u);
    UpscaleOptions options;
    options.plan = plans[p];
    auto upscaler = Upscaler::create(model, options, pool);
    ASSERT_TRUE(upscaler);
    EXPECT_EQ(upscaler->run(picture)->picture.bytes, run.picture.bytes);
    for (const FrameTrace& frame : run.frames) {
      EXPECT_FALSE(frame.late);  // there is no deadline
      EXPECT_EQ(frame.units.size(), units_of(model.graph).size());
    }
  }
  EXPECT_NE((*runs)[0].picture.bytes, (*runs)[1].picture.bytes);
}

TEST(Traced, OneRoundIsRunHoweverLittleTimeThereIs) {
  const Model model = testing::small_model();
  ThreadPool pool(1);
  const auto runs = run_traced(model, {testing::plan_on(model.graph, {"cpu.f32"})}, some_picture(),
                               {.rounds = 50, .seconds = 0, .deadline_ms = 1e-6, .upscale = {}}, pool);
  ASSERT_TRUE(runs) << runs.error().text();
  ASSERT_EQ((*runs)[0].frames.size(), 1u);
  EXPECT_TRUE((*runs)[0].frames[0].late);
}

TEST(Traced, SaysWhatAPlanLacks) {
  const Model model = testing::small_model();
  ThreadPool pool(1);
  EXPECT_FALSE(run_traced(model, {testing::plan_on(model.graph, {"gpu.f32"})}, some_picture(), {}, pool));
  Plan plan = testing::plan_on(model.graph, {"cpu.f32"});
  plan.steps.pop_back();
  EXPECT_FALSE(run_traced(model, {plan}, some_picture(), {}, pool));
}

}  // namespace
}  // namespace fye
