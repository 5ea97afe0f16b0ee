#include "learn/split_learn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "execute/calibrate.h"
#include "graph/zoo.h"
#include "learn/split_measure.h"
#include "learn/testing_crops.h"
#include "learn/testing_split.h"

namespace fye {
namespace {

using testing::chain_problem;
using ::testing::HasSubstr;

// ABPN in little (scale 2, 4 units) on synthetic photographs, calibrated as fye does; then some units'
// weights are rounded more coarsely, so that int8 costs them more.
struct World {
  SplitNet net;
  std::optional<MixedNet> mixed;
  SplitCrops crops;
  Percept percept;
  std::optional<QualityCrops> quality;
  SplitOptions options;

  explicit World(const std::vector<std::string>& processors = testing::kTwo) {
    net.name = "little";
    net.graph = little();
    net.graph.metadata["fye.range"] = "0..255";
    net.picture = {1, 0};
    net.scale = 2;
    net.processors = testing::processors_named(processors);
    std::vector<PicturePair> pictures;
    for (uint64_t i = 0; i < 3; ++i)
      pictures.push_back(*make_pair("waves", testing::waves(96, 96, i + 1, 8), 2));
    crops = *draw_crops(pictures, 2, 12, 16, 1);
    std::vector<OwnedMap> maps;
    std::vector<Map> inputs;
    for (int64_t i = 0; i < 4; ++i) {
      maps.push_back(make_map(DType::u8, net.picture, 3, {0, 0, 16, 16}));
      put(testing::dense_of(crops.low.slice(0, i, i + 1)), 0, maps.back().map);
      inputs.push_back(maps.back().map);
    }
    ThreadPool here(1);
    net.calib = *calibrate(net.graph, inputs, {}, here);
    coarsen(0, 3), coarsen(1, 9), coarsen(2, 5);
    auto made = MixedNet::make(net.graph, &net.calib, net.processors);
    EXPECT_TRUE(made) << made.error().text();
    mixed = *std::move(made);
    quality = *quality_crops(net, *mixed, crops, percept);
    options.steps = 100, options.batch = 4, options.judged = 12;
    options.rate = 0.1;
    options.weights.towards_float = true;  // the truth that plans are ranked by below
    options.idle = 0.01;
  }

  static Graph little() {
    testing::Builder b(3, 7);
    TensorId x = b.relu(b.conv(0, 8, 3));
    x = b.relu(b.conv(x, 8, 3));
    x = b.relu(b.conv(x, 12, 3));
    return b.take(b.clip(b.shuffle(b.add(b.conv(x, 12, 3), b.repeat(0, 4)), 2), 0, 255));
  }

  void coarsen(size_t unit, int step) {
    const auto name = units_of(net.graph)[unit].name;
    for (int8_t& w : net.calib.weights.at(name).values)
      w = int8_t(std::clamp((w + (w > 0 ? step / 2 : -step / 2)) / step * step, -127, 127));
  }

  PlanRunner runner() const {
    auto made = PlanRunner::make(net, crops);
    if (!made) throw std::runtime_error(made.error().text());
    return *std::move(made);
  }
  double msef(const PlanRunner& runner, const Assignment& plan) const {
    const auto measured = runner.msef(plan);
    if (!measured) throw std::runtime_error(measured.error().text());
    return *measured;
  }

  Result<LearnedPlan> learn(const PlanProblem& problem, double deadline) const {
    const std::atomic<bool> stop{false};
    return learn_split(*mixed, problem, *quality, percept, deadline, options, {}, stop);
  }

  // By the runtime: the least msef of all plans within the deadline.
  Assignment best(const PlanProblem& problem, double deadline, double& msef) const {
    const auto runner = this->runner();
    Assignment least;
    msef = INFINITY;
    for (unsigned mask = 0; mask < 16; ++mask) {
      Assignment plan;
      for (unsigned u = 0; u < 4; ++u) plan.push_back(int(mask >> u & 1));
      if (predicted_ms(problem, plan) > deadline) continue;
      if (const double m = this->msef(runner, plan); m < msef) msef = m, least = plan;
    }
    return least;
  }
};

TEST(LearnSplit, MeetsDeadlinesAndFindsTheBestPlanOfASmallNet) {
  const World world;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  const auto runner = world.runner();
  for (const double deadline : {11.5, 8.5}) {
    const auto learned = world.learn(problem, deadline);
    ASSERT_TRUE(learned) << learned.error().text();
    EXPECT_LE(learned->ms, deadline);
    EXPECT_EQ(learned->ms, predicted_ms(problem, learned->plan));
    double least = 0;
    const Assignment best = world.best(problem, deadline, least);
    const double reached = world.msef(runner, learned->plan);
    EXPECT_LE(reached, 1.05 * least + 0.01)
        << "deadline " << deadline << ": " << ::testing::PrintToString(learned->plan) << ", best "
        << ::testing::PrintToString(best);
  }
}

TEST(LearnSplit, KeepsEverythingInFloatWhereThereIsTime) {
  const World world;
  const PlanProblem problem = chain_problem({{4, 3.9}, {4, 3.9}, {4, 3.9}, {4, 3.9}}, 0.25);
  const auto learned = world.learn(problem, 100);
  ASSERT_TRUE(learned);
  EXPECT_EQ(learned->plan, (Assignment{0, 0, 0, 0}));
  EXPECT_EQ(learned->steps, 2 * world.options.steps);
  EXPECT_TRUE(learned->complete);
}

TEST(LearnSplit, RepeatsItselfAndListensToItsSeed) {
  World world;
  world.options.steps = 6;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  const auto a = world.learn(problem, 9), b = world.learn(problem, 9);
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(a->shares.equal(b->shares));
  world.options.seed = 2;
  EXPECT_FALSE(a->shares.equal(world.learn(problem, 9)->shares));
}

TEST(LearnSplit, ThreeProcessorsTakeSoftmax) {
  if (!find_processor("cpu.bf16", active_isa())) GTEST_SKIP() << "this processor has no bf16";
  World world({"cpu.f32", "cpu.bf16", "cpu.int8"});
  world.options.steps = 30;
  PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  problem.processors = {"cpu.f32", "cpu.bf16", "cpu.int8"};
  for (auto& unit : problem.units) unit.ms = {4, 2, 1}, unit.loss = {0, 0, 0};
  for (auto& tensor : problem.tensors) {
    if (tensor.producer != kNone) tensor.form = {Form::f32, Form::bf16, Form::u8};
    for (auto& reader : tensor.readers)
      if (reader.unit != kNone) reader.form = {Form::f32, Form::bf16, Form::u8};
  }
  const auto learned = world.learn(problem, 9.5);
  ASSERT_TRUE(learned) << learned.error().text();
  EXPECT_LE(learned->ms, 9.5);
  EXPECT_EQ(learned->shares.sizes(), (std::vector<int64_t>{4, 3}));
  EXPECT_TRUE(learned->shares.sum(1).allclose(torch::ones({4}, torch::kFloat64)));
  // bf16 is almost float and twice as fast: nothing should be left on float that does not fit.
  EXPECT_EQ(std::count(learned->plan.begin(), learned->plan.end(), 2), 0)
      << ::testing::PrintToString(learned->plan);
}

TEST(LearnSplit, LeavesUnitsWhereTheyCanRun) {
  const World world;
  PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  problem.units[2].ms[1] = INFINITY;
  World quick = world;
  quick.options.steps = 8;
  const auto learned = quick.learn(problem, 8.5);
  ASSERT_TRUE(learned) << learned.error().text();
  EXPECT_EQ(learned->plan[2], 0);
  EXPECT_EQ(learned->shares[2][1].item<double>(), 0);
  EXPECT_TRUE(learned->shares.isfinite().all().item<bool>());
}

TEST(LearnSplit, ImpossibleDeadlinesSayHowNearOneCanGet) {
  const World world;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  const auto learned = world.learn(problem, 2);
  ASSERT_FALSE(learned);
  EXPECT_EQ(learned.error().code, ErrorCode::deadline);
  EXPECT_THAT(learned.error().what, HasSubstr("4.500 ms"));  // 4 units, fixed 0.25, in and out
  EXPECT_EQ(fastest_plan(*world.mixed, problem)->plan, (Assignment{1, 1, 1, 1}));
}

TEST(LearnSplit, RefusesOptionsAndTimesThatCantBe) {
  World world;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  for (const double deadline : {0.0, -1.0, double(NAN), double(INFINITY)})
    EXPECT_EQ(world.learn(problem, deadline).error().code, ErrorCode::usage);
  const auto refused = [&](auto change) {
    World other = world;
    change(other.options);
    const auto learned = other.learn(problem, 9);
    return !learned && learned.error().code == ErrorCode::usage;
  };
  EXPECT_TRUE(refused([](SplitOptions& o) { o.batch = 3; }));
  EXPECT_TRUE(refused([](SplitOptions& o) { o.batch = 100; }));
  EXPECT_TRUE(refused([](SplitOptions& o) { o.steps = 0; }));
  EXPECT_TRUE(refused([](SplitOptions& o) { o.margin = 1; }));
  EXPECT_TRUE(refused([](SplitOptions& o) { o.last_heat = 0; }));
}

TEST(LearnSplit, StopsWithAPlanThatHolds) {
  World world;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  std::atomic<bool> stop{false};
  int seen = 0;
  const auto learned = learn_split(
      *world.mixed, problem, *world.quality, world.percept, 9, world.options,
      [&](const SplitProgress&) { stop = ++seen == 3; }, stop);
  ASSERT_TRUE(learned) << learned.error().text();
  EXPECT_FALSE(learned->complete);
  EXPECT_EQ(learned->steps, 3);
  EXPECT_LE(learned->ms, 9);
}

TEST(LearnSplit, EndsInTime) {
  World world;
  world.options.steps = 100000, world.options.budget_seconds = 0.3;
  const PlanProblem problem = chain_problem({{4, 1}, {4, 1}, {4, 1}, {4, 1}}, 0.25);
  const auto learned = world.learn(problem, 9);
  ASSERT_TRUE(learned);
  EXPECT_TRUE(learned->complete);
  EXPECT_LT(learned->seconds, 10);
  EXPECT_LE(learned->ms, 9);
}

TEST(QualityLoss, GuardsAgainstLookingBetterThanFloat) {
  World world;
  Percept better, worse;
  better.score = [](const at::Tensor& x) { return x.mean({1, 2, 3}) / 255; };
  worse.score = [](const at::Tensor& x) { return -x.mean({1, 2, 3}) / 255; };
  const auto rows = torch::arange(4);
  const auto int8 = shares_of({1, 1, 1, 1}, 2), real = shares_of({0, 0, 0, 0}, 2);
  const QualityWeights weights{.percept = 1, .structure = 0};
  double sum = 0;
  for (const Percept& percept : {better, worse}) {
    const auto crops = *quality_crops(world.net, *world.mixed, world.crops, percept);
    EXPECT_EQ(quality_loss(*world.mixed, crops, rows, real, percept, weights).item<double>(), 0);
    const double loss = quality_loss(*world.mixed, crops, rows, int8, percept, weights).item<double>();
    EXPECT_GE(loss, 0);
    sum += loss;
  }
  // Each crop is darker or lighter than float's, and counts in one of the two.
  EXPECT_GT(sum, 0);
}

TEST(QualityLoss, StructureIsTheSquaredErrorOfTheRuntimesPicture) {
  const World world;
  const auto runner = world.runner();
  const auto rows = torch::arange(world.crops.low.size(0));
  auto whole = *world.quality;
  whole.shave = 0;
  const QualityWeights weights{.percept = 0, .structure = 1, .towards_float = true};
  for (unsigned mask = 1; mask < 16; mask += 2) {
    Assignment plan;
    for (unsigned u = 0; u < 4; ++u) plan.push_back(int(mask >> u & 1));
    const double loss =
        quality_loss(*world.mixed, whole, rows, shares_of(plan, 2), {}, weights).item<double>() * 255 * 255;
    const double msef = world.msef(runner, plan);
    EXPECT_NEAR(loss, msef, 0.01 * msef + 1e-4) << "plan " << mask;
  }
}

TEST(QualityCrops, RefusesWhatIsTooSmall) {
  const World world;
  Percept percept;
  percept.score = [](const at::Tensor& x) { return x.mean({1, 2, 3}); };
  percept.least_side = 64;
  const auto crops = quality_crops(world.net, *world.mixed, world.crops, percept);
  ASSERT_FALSE(crops);
  EXPECT_THAT(crops.error().what, HasSubstr("32 pixels"));
  EXPECT_FALSE(draw_crops({}, 2, 1, 16, 1));
}

TEST(Percept, KindsAndMissingFiles) {
  EXPECT_FALSE(percept_kind("beauty"));
  const auto absent = make_percept(PerceptKind::estimator, "absent.pt");
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().what, HasSubstr("absent.pt"));
  const auto none = make_percept(PerceptKind::none, {});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->score || none->distance);
  const auto piqe = make_percept(PerceptKind::soft_piqe, {});
  ASSERT_TRUE(piqe);
  EXPECT_EQ(piqe->score(torch::rand({2, 3, 64, 64}) * 255).sizes(), (std::vector<int64_t>{2}));
}

TEST(Percept, TheShippedEstimatorScoresPictures) {
  const auto percept =
      make_percept(PerceptKind::estimator, std::string(FYE_SOURCE_DIR) + "/models/training/estimator.pt");
  ASSERT_TRUE(percept) << percept.error().text();
  EXPECT_EQ(percept->least_side, 64);
  auto x = (torch::rand({1, 3, 64, 64}) * 255).set_requires_grad(true);
  const auto score = percept->score(x);
  score.sum().backward();
  EXPECT_GT(x.grad().abs().max().item<double>(), 0);
  EXPECT_GE(score.item<double>(), 0);
  EXPECT_LE(score.item<double>(), 1);
}

}  // namespace
}  // namespace fye
