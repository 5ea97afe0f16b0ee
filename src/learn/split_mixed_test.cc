#include "learn/split_mixed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/zoo.h"
#include "learn/testing_gradients.h"
#include "learn/testing_split.h"
#include "plan/relaxed.h"

namespace fye {
namespace {

using testing::dense_of;
using ::testing::HasSubstr;
using testing::noise_picture;
using testing::processors_named;

Assignment assignment_of(unsigned mask, int units) {
  Assignment plan;
  for (int u = 0; u < units; ++u) plan.push_back(int(mask >> u & 1));
  return plan;
}

// A crossing tensor as its producer stores it.
StoredTensor stored(const at::Tensor& x, bool whole, const Quant& quant) {
  if (!whole) return {Numbers::f32, {}, dense_of(x)};
  return {Numbers::int8, quant,
          dense_of((x.to(torch::kFloat64) / double(quant.scale)).round() + double(quant.zero))};
}

// Every plan: each int8 unit gives the simulation's levels from what it was given, bit for bit; floats stay
// within design.md's bound; and of what enters int8 from float, at most 0.1 % differs from the simulation of
// the whole plan, by one level.
void expect_exact_at_the_vertices(const Graph& graph, const Calib& calib, const at::Tensor& picture) {
  const auto processors = processors_named(testing::kTwo);
  const auto net = MixedNet::make(graph, &calib, processors);
  ASSERT_TRUE(net) << net.error().text();
  const auto units = units_of(graph);
  size_t entered = 0, different = 0, far = 0, whole_tensors = 0;
  for (unsigned mask = 0; mask < 1u << units.size(); ++mask) {
    const Assignment plan = assignment_of(mask, net->units());
    std::vector<Numbers> numbers(graph.nodes.size(), Numbers::f32);
    std::vector<int> unit_of(graph.nodes.size());
    for (size_t u = 0; u < units.size(); ++u)
      for (const int n : units[u].nodes) {
        unit_of[size_t(n)] = int(u);
        if (plan[u] == 1) numbers[size_t(n)] = Numbers::int8;
      }
    auto shares = shares_of(plan, 2);
    // With gradients both versions are computed and one is multiplied by 0: nothing may come of it.
    if (mask % 2) shares.set_requires_grad(true);
    const auto mixed = net->tensors(picture, shares);
    const auto expected = simulate(graph, &calib, numbers, {Numbers::f32, {}, dense_of(picture)});
    ASSERT_TRUE(expected) << expected.error().text();

    std::vector<StoredTensor> given(graph.tensors.size());
    given[size_t(graph.inputs[0])] = {Numbers::f32, {}, dense_of(picture)};
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      const bool whole = numbers[n] == Numbers::int8;
      const size_t out = size_t(node.output);
      auto alone = simulate_node(graph, &calib, int(n), numbers[n], given);
      ASSERT_TRUE(alone) << alone.error().text();
      for (const TensorId in : node.inputs) {
        const int writer = graph.producer(in);
        if (!whole || writer == kNone || numbers[size_t(writer)] == Numbers::int8) continue;
        const Quant grid = calib.tensors.at(graph.tensors[size_t(in)].name);
        for (size_t i = 0; i < given[size_t(in)].dense.values.size(); ++i) {
          const auto level = [&](const StoredTensor& t) {
            return std::clamp(std::nearbyint(t.dense.values[i] / grid.scale) + float(grid.zero), 0.f, 255.f);
          };
          const float apart = std::fabs(level(given[size_t(in)]) - level((*expected)[size_t(in)]));
          ++entered, different += apart > 0, far += apart > 1;
        }
      }
      if (!mixed[out].defined()) {
        given[out] = *alone;
        continue;
      }
      given[out] = stored(mixed[out], whole, alone->quant);
      ASSERT_EQ(given[out].dense.shape, alone->dense.shape);
      if (whole) {
        ++whole_tensors;
        ASSERT_EQ(given[out].dense.values, alone->dense.values) << node.name << " in plan " << mask;
      } else {
        double largest = 1e-9, worst = 0;
        for (size_t i = 0; i < alone->dense.values.size(); ++i) {
          largest = std::max(largest, std::fabs(double(alone->dense.values[i])));
          worst = std::max(worst, std::fabs(double(alone->dense.values[i]) - given[out].dense.values[i]));
        }
        ASSERT_LE(worst, 1e-4 * largest) << node.name << " in plan " << mask;
      }
    }
  }
  EXPECT_GT(whole_tensors, 0u);
  EXPECT_GT(entered, 0u);
  EXPECT_LE(double(different), 1e-3 * double(entered) + 1);
  // A level that differs already may have moved what comes after by more; none does in these nets.
  EXPECT_LE(double(far), 1e-4 * double(entered));
}

TEST(MixedNet, IsThePlanAtEveryVertexOfAbpn) {
  const Graph graph = fuse(abpn(3, random_weights(1)));
  ASSERT_EQ(units_of(graph).size(), 7u);
  expect_exact_at_the_vertices(graph, testing::made_up_calib(graph), noise_picture(3, 5, 6, 1));
}

TEST(MixedNet, IsThePlanAtEveryVertexOfSmallNets) {
  for (const Graph& graph : {testing::small_residual(), testing::branched(), testing::small_abpn()})
    expect_exact_at_the_vertices(graph, testing::made_up_calib(graph), noise_picture(3, 8, 7, 2));
}

TEST(MixedNet, MixesBothVersionsOfTheSameInput) {
  const Graph graph = testing::small_abpn();
  const Calib calib = testing::made_up_calib(graph);
  const auto processors = processors_named(testing::kTwo);
  const auto net = *MixedNet::make(graph, &calib, processors);
  const auto picture = noise_picture(3, 9, 9, 4);
  const auto units = units_of(graph);
  auto shares = torch::full({net.units(), 2}, 0.5);
  shares[0][0] = 0.25, shares[0][1] = 0.75;
  const auto mixed = net.tensors(picture, shares);
  // By hand for the first two units, which have one node each.
  at::Tensor x = picture;
  for (int u = 0; u < 2; ++u) {
    ASSERT_EQ(units[size_t(u)].nodes.size(), 1u);
    const int n = units[size_t(u)].nodes[0];
    const std::vector<at::Tensor> in{x};
    const auto real = (*torch_node(graph, &calib, n, *processors[0]))(in);
    const auto whole = (*torch_node(graph, &calib, n, *processors[1]))(in);
    x = real * shares[u][0] + whole * shares[u][1];
    EXPECT_TRUE(mixed[size_t(graph.nodes[size_t(n)].output)].equal(x));
  }
}

TEST(MixedNet, GradientOfASharePointsFromOneVersionToTheOther) {
  const Graph graph = testing::small_residual();
  const Calib calib = testing::made_up_calib(graph);
  const auto net = *MixedNet::make(graph, &calib, processors_named(testing::kTwo));
  const auto picture = noise_picture(3, 8, 8, 6);
  auto shares = torch::full({net.units(), 2}, 0.5).set_requires_grad(true);
  const auto truth = net.output(picture, shares_of(Assignment(size_t(net.units()), 0), 2)).detach();
  (net.output(picture, shares) - truth).square().mean().backward();
  ASSERT_TRUE(shares.grad().isfinite().all().item<bool>());
  EXPECT_GT(shares.grad().abs().min().item<double>(), 0);
  // The last unit's output is linear in its own shares, so its slope is exact.
  const int last = net.units() - 1;
  const auto loss = [&](double p, double q) {
    const torch::NoGradGuard no_gradients;
    auto moved = shares.detach().clone();
    moved[last][0] = p, moved[last][1] = q;
    return (net.output(picture, moved) - truth).square().mean().item<double>();
  };
  for (int p = 0; p < 2; ++p) {
    const double d = 0.02, ahead = loss(0.5 + (p ? 0 : d), 0.5 + (p ? d : 0));
    const double behind = loss(0.5 - (p ? 0 : d), 0.5 - (p ? d : 0)), slope = (ahead - behind) / (2 * d);
    EXPECT_NEAR(shares.grad()[last][p].item<double>(), slope, 1e-3 * std::fabs(slope));
  }
}

TEST(MixedNet, LeavesOutWhatAProcessorRefuses) {
  testing::Builder b(3, 5);
  const Graph graph = b.take(b.conv(b.global_average(b.conv(0, 4, 3)), 2, 1));
  const Calib calib = testing::made_up_calib(graph);
  const auto net = MixedNet::make(graph, &calib, processors_named(testing::kTwo));
  ASSERT_TRUE(net) << net.error().text();
  EXPECT_TRUE(net->runs(0, 0));
  EXPECT_FALSE(net->runs(0, 1));
  EXPECT_TRUE(net->runs(1, 1));
  const auto only_whole = MixedNet::make(graph, &calib, processors_named({"cpu.int8"}));
  ASSERT_FALSE(only_whole);
  EXPECT_THAT(only_whole.error().what, HasSubstr("no processor runs unit"));
}

TEST(MixedNet, RefusesOpsWithoutAFormByName) {
  const Graph graph = fuse(small_classifier(16, random_weights(1)));
  const auto net = MixedNet::make(graph, nullptr, processors_named({"cpu.f32"}));
  ASSERT_FALSE(net);
  EXPECT_THAT(net.error().what, HasSubstr("node \""));
}

TEST(Shares, RoundAndBack) {
  const Assignment plan{1, 0, 2, 2, 0};
  EXPECT_EQ(rounded(shares_of(plan, 3)), plan);
  EXPECT_EQ(rounded(torch::tensor({{0.5, 0.5}, {0.4, 0.6}})), (Assignment{0, 1}));
}

// Random costs, forms and readers over a chain with skips, three processors.
PlanProblem random_problem(uint64_t seed, bool twice = true) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> ms(0.1, 3);
  PlanProblem problem{.processors = {"a", "b", "c"}, .units = {}, .tensors = {}, .fixed_ms = ms(random)};
  const int units = 5;
  const auto form = [&] { return kAllForms[random() % 3]; };
  for (int u = 0; u < units; ++u)
    problem.units.push_back({"u" + std::to_string(u), {ms(random), ms(random), ms(random)}, {0, 0, 0}, {}});
  for (int t = -1; t < units; ++t) {
    PlanProblem::Tensor tensor{.name = "t" + std::to_string(t), .producer = t, .loss = {}};
    tensor.form = t < 0 ? std::vector{Form::host} : std::vector{form(), form(), form()};
    for (const Form from : kAllForms)
      for (const Form to : kAllForms)
        if (from != to) tensor.ms[size_t(from)][size_t(to)] = ms(random);
    for (int u = t + 1; u < units; ++u) {
      const int entries = u == t + 1 ? 1 : int(random() % (twice ? 3 : 2));  // twice: in two forms
      for (int i = 0; i < entries; ++i)
        tensor.readers.push_back({.unit = u, .form = {form(), form(), form()}});
    }
    if (t == units - 1) tensor.readers.push_back({.unit = kNone, .form = {Form::host}});
    problem.tensors.push_back(tensor);
  }
  return problem;
}

TEST(RelaxedTime, IsThePredictedTimeAtEveryVertex) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const PlanProblem problem = random_problem(seed);
    for (int code = 0; code < 243; ++code) {
      Assignment plan;
      for (int u = 0, rest = code; u < 5; ++u, rest /= 3) plan.push_back(rest % 3);
      const auto time = relaxed_time(problem, shares_of(plan, 3).to(torch::kFloat64));
      ASSERT_NEAR(time.item<double>(), predicted_ms(problem, plan), 1e-9)
          << "seed " << seed << ", plan " << code;
    }
  }
}

TEST(RelaxedTime, GradientByFiniteDifferences) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const PlanProblem problem = random_problem(seed);
    auto generator = at::detail::createCPUGenerator(seed);
    const auto shares = torch::softmax(torch::empty({5, 3}, torch::kFloat64).normal_(0, 1, generator), 1);
    testing::expect_gradient([&](const at::Tensor& x) { return relaxed_time(problem, x); }, shares);
  }
}

TEST(RelaxedTime, AgreesWithThePlannersOwn) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const PlanProblem problem = random_problem(seed, false);
    auto generator = at::detail::createCPUGenerator(seed);
    const auto shares = torch::softmax(torch::empty({5, 3}, torch::kFloat64).normal_(0, 1, generator), 1)
                            .set_requires_grad(true);
    const auto time = relaxed_time(problem, shares);
    time.backward();
    Probabilities rows(5), gradient;
    for (int u = 0; u < 5; ++u)
      for (int p = 0; p < 3; ++p) rows[size_t(u)].push_back(shares[u][p].item<double>());
    EXPECT_NEAR(time.item<double>(), relaxed_ms(problem, rows, &gradient), 1e-9);
    for (int u = 0; u < 5; ++u)
      for (int p = 0; p < 3; ++p)
        EXPECT_NEAR(shares.grad()[u][p].item<double>(), gradient[size_t(u)][size_t(p)], 1e-9);
  }
}

// spec/fye-sr.md, section 4: the chain's formula, with alpha the share of int8.
TEST(RelaxedTime, IsTheChainFormula) {
  const std::vector<std::pair<double, double>> times{{3, 1}, {5, 2}, {4, 1.5}};
  const double move = 0.4;
  const PlanProblem problem = testing::chain_problem(times, move);
  const double alpha[] = {0.3, 0.9, 0.2};
  auto shares = torch::zeros({3, 2}, torch::kFloat64);
  double expected = problem.fixed_ms + 2 * 0.125;
  for (int u = 0; u < 3; ++u) {
    shares[u][0] = 1 - alpha[u], shares[u][1] = alpha[u];
    expected += alpha[u] * times[size_t(u)].second + (1 - alpha[u]) * times[size_t(u)].first;
    if (u < 2) expected += move * ((1 - alpha[u]) * alpha[u + 1] + alpha[u] * (1 - alpha[u + 1]));
  }
  EXPECT_NEAR(relaxed_time(problem, shares).item<double>(), expected, 1e-12);
}

TEST(RelaxedTime, UnitsThatCannotRunCostNothingAtShareZero) {
  PlanProblem problem = testing::chain_problem({{3, 1}, {5, 2}}, 1);
  problem.units[0].ms[1] = std::numeric_limits<double>::infinity();
  const auto shares = torch::tensor({{1.0, 0.0}, {0.5, 0.5}}, torch::kFloat64).set_requires_grad(true);
  const auto time = relaxed_time(problem, shares);
  time.backward();
  EXPECT_TRUE(std::isfinite(time.item<double>()));
  EXPECT_TRUE(shares.grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace fye
