// Tested by split_learn_test.cc: on a net whose plans can all be tried, the learner's is compared with the
// best.
#include "learn/split_learn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/clock.h"
#include "learn/steps.h"
#include "plan/strategies.h"

namespace fye {
namespace {

// Losses closer together than this can't be told from float32's rounding.
constexpr double kLeastUnit = 1e-9;

Status check(const SplitOptions& o, const QualityCrops& crops, double deadline_ms) {
  const auto refuse = [](const std::string& what) { return usage_error(what); };
  if (!(deadline_ms > 0) || !std::isfinite(deadline_ms))
    return refuse(fmt::format("a deadline of {} ms", deadline_ms));
  if (o.batch < 1 || o.threads < 1 || o.batch % o.threads != 0)
    return refuse(fmt::format("{} threads do not divide a batch of {}", o.threads, o.batch));
  if (crops.low.size(0) < o.batch)
    return refuse(fmt::format("{} crops are fewer than a batch of {}", crops.low.size(0), o.batch));
  if (o.steps < 1 || !(o.rate > 0) || !(o.last_heat > 0) || !(o.first_heat >= o.last_heat) || o.judged < 1 ||
      !(o.margin >= 0 && o.margin < 1) || !(o.straight_through >= 0 && o.straight_through <= 1))
    return refuse("options of the split learner out of range");
  return {};
}

// One start of one deadline.
class Run {
 public:
  Run(const MixedNet& net, const PlanProblem& problem, const QualityCrops& crops, const Percept& percept,
      double deadline_ms, const SplitOptions& options, double unit, const at::Tensor& w, uint64_t seed)
      : net_(net),
        problem_(problem),
        crops_(crops),
        percept_(percept),
        aim_(deadline_ms * (1 - options.margin)),
        o_(options),
        unit_(unit),
        w_(w.clone().set_requires_grad(true)),
        mu_(options.first_mu),
        adam_({w_}, torch::optim::AdamOptions(options.rate).betas({0.9, 0.999})),
        shards_({w_}, options.threads),
        generator_(at::detail::createCPUGenerator(seed)),
        forbidden_(torch::zeros({net.units(), net.processors()}, torch::kBool)) {
    for (int u = 0; u < net.units(); ++u)
      for (int p = 0; p < net.processors(); ++p)
        forbidden_[u][p] = !std::isfinite(problem.units[size_t(u)].ms[size_t(p)]);
  }

  // Returns the loss.
  double step(double progress) {
    heat_ = o_.first_heat * std::pow(o_.last_heat / o_.first_heat, progress);
    const bool hard = progress >= 1 - o_.straight_through;
    const double binary = o_.binary * std::max(0.0, 2 * progress - 1);
    const auto rows = torch::randperm(crops_.low.size(0), generator_, torch::kInt64).slice(0, 0, o_.batch);
    const auto parts = rows.chunk(shards_.size());
    const double time_weight = mu_;
    std::vector<double> quality(size_t(shards_.size()));
    adam_.zero_grad();
    const double loss = shards_.backward([&](int shard) {
      auto shares = shares_at(shards_.leaves(shard)[0]);
      const auto undecided = (shares * (1 - shares)).sum(1).mean() / 2;
      if (hard)
        shares = shares + (shares_of(rounded(shares), net_.processors()).to(shares) - shares).detach();
      const auto late = relaxed_time(problem_, shares) / aim_;
      const auto q = quality_loss(net_, crops_, parts[size_t(shard)], shares, percept_, o_.weights) / unit_;
      quality[size_t(shard)] = q.item<double>();
      return q + time_weight * (late - 1).relu() + o_.idle * late + binary * undecided;
    });
    adam_.step();
    quality_ = 0;
    for (const double q : quality) quality_ += q / double(quality.size());
    const torch::NoGradGuard no_gradients;
    const auto now = shares();
    time_ms_ = relaxed_time(problem_, now).item<double>();
    undecided_ = 2 * (now * (1 - now)).sum(1).mean().item<double>();
    mu_ = std::max(0.0, mu_ + o_.dual_rate * (time_ms_ / aim_ - 1));
    return loss;
  }

  at::Tensor shares() const {
    const torch::NoGradGuard no_gradients;
    return shares_at(w_);
  }

  SplitProgress progress() const {
    return {.start = {}, .time_ms = time_ms_, .quality = quality_, .mu = mu_, .undecided = undecided_};
  }

 private:
  // Two processors: w is of the second alone, and the first's logit is 0, so that the share is FYE-SR's
  // sigmoid(w / heat). More: softmax(w / heat).
  at::Tensor shares_at(const at::Tensor& w) const {
    const auto logits = net_.processors() == 2 ? torch::stack({torch::zeros_like(w), w}, 1) : w;
    return torch::softmax((logits / heat_).masked_fill(forbidden_, -INFINITY), 1);
  }

  const MixedNet& net_;
  const PlanProblem& problem_;
  const QualityCrops& crops_;
  const Percept& percept_;
  double aim_;
  const SplitOptions& o_;
  double unit_;
  at::Tensor w_;  // [units], or [units, processors] if there are more than two; float64
  double mu_, heat_ = 1, time_ms_ = 0, quality_ = 0, undecided_ = 0;
  torch::optim::Adam adam_;
  Shards shards_;
  at::Generator generator_;
  at::Tensor forbidden_;
};

at::Tensor judged_rows(const QualityCrops& crops, const SplitOptions& o) {
  return torch::arange(std::min<int64_t>(o.judged, crops.low.size(0)));
}

// Of a plan, a few crops at a time.
double judge(const MixedNet& net, const QualityCrops& crops, const Percept& percept, const SplitOptions& o,
             const Assignment& plan) {
  const torch::NoGradGuard no_gradients;
  const auto rows = judged_rows(crops, o);
  const auto shares = shares_of(plan, net.processors());
  double sum = 0;
  for (const auto& part : rows.split(o.batch))
    sum += quality_loss(net, crops, part, shares, percept, o.weights).item<double>() * double(part.numel());
  return sum / double(rows.numel());
}

// How far apart the plans on one processor each are (units that it can't run on the first that can).
double spread(const MixedNet& net, const PlanProblem& problem, const QualityCrops& crops,
              const Percept& percept, const SplitOptions& o) {
  double least = INFINITY, most = -INFINITY;
  for (int p = 0; p < net.processors(); ++p) {
    Assignment plan;
    for (int u = 0; u < net.units(); ++u) {
      int on = p;
      for (int other = 0; !std::isfinite(problem.units[size_t(u)].ms[size_t(on)]) && other < net.processors();
           ++other)
        on = other;
      plan.push_back(on);
    }
    const double loss = judge(net, crops, percept, o, plan);
    least = std::min(least, loss), most = std::max(most, loss);
  }
  return std::max(most - least, kLeastUnit);
}

at::Tensor start_of(const MixedNet& net, const Assignment* plan, const SplitOptions& o,
                    at::Generator generator) {
  auto w = torch::empty({net.units(), net.processors()}, torch::kFloat64).normal_(0, o.noise, generator);
  if (plan)
    for (int u = 0; u < net.units(); ++u) w[u][(*plan)[size_t(u)]] += o.head_start;
  return net.processors() == 2
             ? (w.select(1, 1) - (plan ? w.select(1, 0) : torch::zeros({net.units()}))).contiguous()
             : w;
}

// The problem with what moving one unit at a time does to the quality of a plan as its losses, for repairs
// where no measured ones are given. (Not the slope at the plan: that of a squared distance to float is 0 at
// float.)
PlanProblem with_moves(PlanProblem problem, const MixedNet& net, const QualityCrops& crops,
                       const Percept& percept, SplitOptions o, const Assignment& plan) {
  o.judged = std::min(o.judged, o.batch);
  for (int u = 0; u < net.units(); ++u) {
    auto& loss = problem.units[size_t(u)].loss;
    for (int p = 0; p < net.processors(); ++p) {
      if (!std::isfinite(problem.units[size_t(u)].ms[size_t(p)])) continue;
      Assignment moved = plan;
      moved[size_t(u)] = p;
      loss[size_t(p)] = judge(net, crops, percept, o, moved);
    }
    const double least = *std::min_element(loss.begin(), loss.end());
    for (double& each : loss) each = std::max(0.0, each - least);
  }
  return problem;
}

bool has_losses(const PlanProblem& problem) {
  for (const auto& unit : problem.units)
    for (const double loss : unit.loss)
      if (loss > 0) return true;
  return false;
}

// Without the processors that the network's own graph refuses.
PlanProblem runnable(const MixedNet& net, PlanProblem problem) {
  for (int u = 0; u < net.units(); ++u)
    for (int p = 0; p < net.processors(); ++p)
      if (!net.runs(u, p)) problem.units[size_t(u)].ms[size_t(p)] = INFINITY;
  return problem;
}

}  // namespace

Result<PlanPoint> fastest_plan(const MixedNet& net, const PlanProblem& given) {
  // Without losses one plan is left on the front of time and loss: the fastest.
  PlanProblem problem = runnable(net, given);
  for (auto& unit : problem.units) unit.loss.assign(unit.loss.size(), 0);
  for (auto& tensor : problem.tensors) {
    tensor.loss = {};
    for (auto& reader : tensor.readers) reader.loss = {};
  }
  const auto front = exact_plans(problem);
  if (!front) return front.error();
  PlanPoint fastest = front->front();
  fastest.ms = predicted_ms(given, fastest.plan), fastest.loss = predicted_loss(given, fastest.plan);
  return fastest;
}

int changes(const Assignment& a, const Assignment& b) {
  int count = 0;
  for (size_t u = 0; u < a.size(); ++u) count += a[u] != b[u];
  return count;
}

Result<LearnedPlan> learn_split(const MixedNet& net, const PlanProblem& given, const QualityCrops& crops,
                                const Percept& percept, double deadline_ms, const SplitOptions& o,
                                const std::function<void(const SplitProgress&)>& report,
                                const std::atomic<bool>& stop) {
  if (auto status = check(o, crops, deadline_ms); !status) return status.error();
  const Stopwatch all;
  const PlanProblem problem = runnable(net, given);
  const auto found = fastest_plan(net, given);
  if (!found) return found.error();
  const PlanPoint& fastest = *found;
  if (fastest.ms > deadline_ms)
    return Error{ErrorCode::deadline,
                 fmt::format("no plan meets {:.3f} ms: the fastest takes {:.3f} ms, {:.3f} ms more",
                             deadline_ms, fastest.ms, fastest.ms - deadline_ms),
                 "give a later deadline, a smaller picture, or more processors"};
  const double unit = o.quality_unit > 0 ? o.quality_unit : spread(net, problem, crops, percept, o);

  std::optional<LearnedPlan> best;
  int steps = 0;
  bool complete = true;
  for (const char* start : {"even", "fastest"}) {
    if (best && stop) break;
    auto generator = at::detail::createCPUGenerator(o.seed);
    const bool even = std::string(start) == "even";
    Run run(net, problem, crops, percept, deadline_ms, o, unit,
            start_of(net, even ? nullptr : &fastest.plan, o, generator), o.seed + 1);
    const Stopwatch own;
    for (int step = 0; step < o.steps && !stop; ++step, ++steps) {
      double progress = double(step) / o.steps;
      if (o.budget_seconds > 0) progress = std::max(progress, own.ms() / 1e3 / o.budget_seconds);
      if (progress >= 1) break;
      const double loss = run.step(progress);
      if (!std::isfinite(loss))
        return bad_input(fmt::format("the loss is not finite at step {}", step), "check the calibration");
      if (report) {
        SplitProgress now = run.progress();
        now.start = start, now.step = step + 1, now.progress = std::max(progress, double(step + 1) / o.steps);
        report(now);
      }
    }
    complete = complete && !stop;
    LearnedPlan learned{
        .plan = {}, .start = start, .shares = run.shares(), .unrepaired = rounded(run.shares())};
    const auto repaired = repair(
        has_losses(problem) ? problem : with_moves(problem, net, crops, percept, o, learned.unrepaired),
        learned.unrepaired, deadline_ms);
    if (!repaired) return repaired.error();
    learned.plan = repaired->plan;
    learned.quality = judge(net, crops, percept, o, learned.plan) / unit;
    // Repairs add losses up; what was learned knows better where they don't add up.
    if (learned.plan != learned.unrepaired && predicted_ms(problem, learned.unrepaired) <= deadline_ms)
      if (const double as_learned = judge(net, crops, percept, o, learned.unrepaired) / unit;
          as_learned <= learned.quality)
        learned.plan = learned.unrepaired, learned.quality = as_learned;
    learned.ms = predicted_ms(problem, learned.plan);
    learned.unit = unit;
    if (!best || learned.quality < best->quality) best = std::move(learned);
  }
  best->steps = steps;
  best->seconds = all.ms() / 1e3;
  best->complete = complete;
  return *std::move(best);
}

}  // namespace fye
