#include "runtime/rival_plans.h"

#include <gtest/gtest.h>

#include "execute/testing_graphs.h"
#include "graph/units.h"
#include "runtime/rerank.h"
#include "runtime/upscale.h"

namespace fye {
namespace {

Model rival_model() {
  Model model{.name = "small", .graph = testing::small_abpn(3, 24), .conventions = {.scale = 3}, .calib = {}};
  model.calib = testing::made_up_calib(model.graph);
  return model;
}

const Processor* rival_on(const std::string& name, int core) {
  return *find_processor(core < available_cores() ? name + "@core" + std::to_string(core) : name,
                         active_isa());
}

RivalRequest request_for(Rival rival, const std::string& second) {
  RivalRequest request{.rival = rival,
                       .pair = {rival_on("cpu.f32", 0), rival_on(second, 1)},
                       .width = 40,
                       .height = 30,
                       .deadline_ms = 1e9,
                       .typical = {},
                       .profile = {},
                       .rounds = 1};
  request.profile.machine.threads = 1;
  for (const Unit& unit : units_of(rival_model().graph)) {
    request.profile.units.push_back({unit.name, {}});
    for (const Processor* processor : request.pair)
      request.profile.units.back().on[std::string(processor->name())] = {1, .1, 5};
  }
  return request;
}

Picture rival_picture() {
  Picture picture(40, 30, 3);
  for (size_t i = 0; i < picture.samples(); ++i) picture.u8()[i] = uint8_t(i * i / 7 % 256);
  return picture;
}

std::vector<uint8_t> made_by(const Model& model, const Plan& plan) {
  ThreadPool pool(2);
  UpscaleOptions options;
  options.plan = plan;
  auto upscaler = Upscaler::create(model, options, pool);
  EXPECT_TRUE(upscaler) << (upscaler ? "" : upscaler.error().text());
  const auto big = upscaler->run(rival_picture());
  EXPECT_TRUE(big) << (big ? "" : big.error().text());
  return {big->picture.u8(), big->picture.u8() + big->picture.samples()};
}

TEST(RivalPlans, CodlMakesTheFloatPicture) {
  if (available_cores() < 2) GTEST_SKIP() << "one core";
  const Model model = rival_model();
  ThreadPool pool(1);
  for (const RivalForm form : {RivalForm::faithful, RivalForm::strong}) {
    RivalRequest request = request_for(Rival::codl, "cpu.f32");
    request.form = form;
    const auto made = rival_plan(model, request, pool);
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ(made->plan.width, 40);
    const auto ours = made_by(model, made->plan),
               whole = made_by(model, uniform_plan(model.graph, "cpu.f32"));
    ASSERT_EQ(ours.size(), whole.size());
    // By channels sums may come in another order, so that a value on the edge of two levels falls to the
    // other side.
    for (size_t i = 0; i < ours.size(); ++i) EXPECT_LE(std::abs(int(ours[i]) - int(whole[i])), 1) << i;
  }
}

TEST(RivalPlans, GenerousDeadlinesAreAllAccurateNoneIsAllFast) {
  const Model model = rival_model();
  ThreadPool pool(1);
  RivalRequest request = request_for(Rival::mobisr, "cpu.int8");
  for (const double deadline : {1e9, 1e-9}) {
    request.deadline_ms = deadline;
    const auto made = rival_plan(model, request, pool);
    ASSERT_TRUE(made) << made.error().text();
    const Sharing& sharing = *made->plan.steps[0].sharing;
    EXPECT_EQ(sharing.by, Sharing::By::patches);
    if (deadline > 1) EXPECT_EQ(sharing.shares[0].part, 1);
    EXPECT_FALSE(made_by(model, made->plan).empty());
  }
}

TEST(RivalPlans, UlayerSharesChannels) {
  const Model model = rival_model();
  ThreadPool pool(1);
  const auto made = rival_plan(model, request_for(Rival::ulayer, "cpu.int8"), pool);
  ASSERT_TRUE(made) << made.error().text();
  size_t units = 0;
  for (const PlanStep& step : made->plan.steps) {
    ASSERT_TRUE(step.sharing);
    EXPECT_EQ(step.sharing->by, Sharing::By::channels);
    units += step.units.size();
  }
  EXPECT_EQ(units, units_of(model.graph).size());
  EXPECT_FALSE(made_by(model, made->plan).empty());
}

TEST(RivalPlans, WhatCannotBe) {
  const Model model = rival_model();
  ThreadPool pool(1);
  const auto refused = [&](const RivalRequest& request) {
    const auto made = rival_plan(model, request, pool);
    return made ? std::string() : made.error().text();
  };
  RivalRequest request = request_for(Rival::codl, "cpu.int8");
  EXPECT_NE(refused(request).find("one number format"), std::string::npos);
  request.pair.pop_back();
  EXPECT_NE(refused(request).find("two different"), std::string::npos);
  request = request_for(Rival::codl, "cpu.f32");
  request.profile.units.clear();
  if (available_cores() > 1) EXPECT_NE(refused(request).find("no time of unit"), std::string::npos);
  request = request_for(Rival::mobisr, "cpu.int8");
  request.form = RivalForm::faithful;
  EXPECT_NE(refused(request).find("typical"), std::string::npos);
}

}  // namespace
}  // namespace fye
