// Tested by plan/strategies_test.cc.
#include "plan/strategies.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace fye {
namespace {

bool obeys(const PlanProblem& problem, const PlanConstraints& constraints, const Assignment& plan) {
  for (size_t u = 0; u < plan.size(); ++u) {
    const auto p = size_t(plan[u]);
    if (std::isinf(problem.units[u].ms[p])) return false;
    if (!constraints.allowed.empty() && !constraints.allowed[u][p]) return false;
  }
  return constraints.max_switches < 0 || switches(plan) <= constraints.max_switches;
}

PlanPoint point_of(const PlanProblem& problem, Assignment plan) {
  const double ms = predicted_ms(problem, plan), loss = predicted_loss(problem, plan);
  return {std::move(plan), ms, loss};
}

// Every plan that differs in 1, 2, 4 ... units in a row, now on one processor.
void each_move(const PlanProblem& problem, const PlanConstraints& constraints, const Assignment& plan,
               const std::function<void(PlanPoint)>& visit) {
  for (size_t length = 1; length <= plan.size(); length *= 2)
    for (size_t begin = 0; begin + length <= plan.size(); ++begin)
      for (size_t p = 0; p < problem.processors.size(); ++p) {
        Assignment moved = plan;
        std::fill_n(moved.begin() + std::ptrdiff_t(begin), length, int(p));
        if (moved != plan && obeys(problem, constraints, moved)) visit(point_of(problem, std::move(moved)));
      }
}

// The move that loses least per ms saved (a gain counts as best of all), or nothing that saves.
std::optional<PlanPoint> cheapest_saving(const PlanProblem& problem, const PlanConstraints& constraints,
                                         const PlanPoint& from) {
  std::optional<PlanPoint> best;
  double best_price = 0;
  each_move(problem, constraints, from.plan, [&](PlanPoint to) {
    const double saved = from.ms - to.ms;
    if (!(saved > 1e-12 * from.ms)) return;
    const double price = (to.loss - from.loss) / saved;
    if (!best || price < best_price) best_price = price, best = std::move(to);
  });
  return best;
}

// The move in time that gains most per ms (no time at all is best), or nothing that gains.
std::optional<PlanPoint> best_gain(const PlanProblem& problem, const PlanConstraints& constraints,
                                   const PlanPoint& from, double deadline) {
  std::optional<PlanPoint> best;
  double best_rate = 0;
  each_move(problem, constraints, from.plan, [&](PlanPoint to) {
    const double gain = from.loss - to.loss;
    if (!(gain > 1e-12 * from.loss) || to.ms > deadline) return;
    const double rate = gain / std::max(to.ms - from.ms, 1e-9 * deadline);
    if (!best || rate > best_rate) best_rate = rate, best = std::move(to);
  });
  return best;
}

PlanPoint use_slack(const PlanProblem& problem, const PlanConstraints& constraints, PlanPoint point,
                    double deadline) {
  while (auto better = best_gain(problem, constraints, point, deadline)) point = *std::move(better);
  return point;
}

// Where to begin from: as true as it gets without looking at neighbours.
std::optional<PlanPoint> truest_start(const PlanProblem& problem, const PlanConstraints& constraints) {
  std::optional<PlanPoint> best;
  const auto offer = [&](Assignment plan) {
    if (!obeys(problem, constraints, plan)) return;
    PlanPoint point = point_of(problem, std::move(plan));
    if (!best || point.loss < best->loss || (point.loss == best->loss && point.ms < best->ms))
      best = std::move(point);
  };
  for (size_t p = 0; p < problem.processors.size(); ++p) offer(Assignment(problem.units.size(), int(p)));
  Assignment alone;
  for (size_t u = 0; u < problem.units.size(); ++u) {
    const PlanProblem::Unit& unit = problem.units[u];
    int truest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t p = 0; p < problem.processors.size(); ++p) {
      const bool may = !std::isinf(unit.ms[p]) && (constraints.allowed.empty() || constraints.allowed[u][p]);
      if (may && unit.loss[p] < least) least = unit.loss[p], truest = int(p);
    }
    alone.push_back(truest);
  }
  offer(alone);
  return best;
}

std::vector<PlanPoint> one_switch(const PlanProblem& problem, const PlanConstraints& constraints,
                                  bool true_first) {
  std::vector<PlanPoint> points;
  const size_t units = problem.units.size();
  const auto loss_on = [&](size_t p) {
    double loss = 0;
    for (const auto& unit : problem.units) loss += unit.loss[p];
    for (const auto& tensor : problem.tensors)
      if (tensor.producer != kNone) loss += tensor.loss[size_t(tensor.form[p])];
    return loss;
  };
  for (size_t first = 0; first < problem.processors.size(); ++first)
    for (size_t second = 0; second < problem.processors.size(); ++second) {
      if (first != second && (loss_on(first) < loss_on(second)) != true_first) continue;
      for (size_t at = 0; at <= units; ++at) {
        Assignment plan(units, int(second));
        std::fill_n(plan.begin(), at, int(first));
        if (obeys(problem, constraints, plan)) points.push_back(point_of(problem, std::move(plan)));
      }
    }
  return front_of(std::move(points));
}

}  // namespace

std::vector<PlanPoint> front_of(std::vector<PlanPoint> points) {
  std::sort(points.begin(), points.end(), [](const PlanPoint& a, const PlanPoint& b) {
    return a.ms != b.ms ? a.ms < b.ms : a.loss < b.loss;
  });
  std::vector<PlanPoint> front;
  for (PlanPoint& point : points)
    if (front.empty() || point.loss < front.back().loss) front.push_back(std::move(point));
  return front;
}

std::vector<PlanPoint> greedy_plans(const PlanProblem& problem, const PlanConstraints& constraints) {
  auto point = truest_start(problem, constraints);
  if (!point) return {};
  std::vector<PlanPoint> visited = {*point};
  while (auto next = cheapest_saving(problem, constraints, visited.back()))
    visited.push_back(*std::move(next));
  return front_of(std::move(visited));
}

std::vector<PlanPoint> random_plans(const PlanProblem& problem, const PlanConstraints& constraints, int count,
                                    unsigned seed) {
  std::mt19937 random(seed);
  std::vector<PlanPoint> points;
  for (int i = 0; i < count; ++i) {
    std::vector<double> shares;
    for (size_t p = 0; p < problem.processors.size(); ++p)
      shares.push_back(-std::log1p(-double(random() >> 8) * 0x1p-24));
    Assignment plan;
    for (size_t u = 0; u < problem.units.size(); ++u) {
      std::vector<double> here = shares;
      double sum = 0;
      for (size_t p = 0; p < here.size(); ++p) {
        const bool may =
            !std::isinf(problem.units[u].ms[p]) && (constraints.allowed.empty() || constraints.allowed[u][p]);
        sum += here[p] = may ? here[p] + 1e-12 : 0;
      }
      double draw = double(random() >> 8) * 0x1p-24 * sum;
      size_t p = 0;
      while (p + 1 < here.size() && (here[p] == 0 || draw >= here[p])) draw -= here[p++];
      // The last that may run takes what rounding leaves over.
      while (p > 0 && here[p] == 0) --p;
      plan.push_back(int(p));
    }
    if (obeys(problem, constraints, plan)) points.push_back(point_of(problem, std::move(plan)));
  }
  return front_of(std::move(points));
}

std::vector<PlanPoint> prefix_plans(const PlanProblem& problem, const PlanConstraints& constraints) {
  return one_switch(problem, constraints, false);
}

std::vector<PlanPoint> suffix_plans(const PlanProblem& problem, const PlanConstraints& constraints) {
  return one_switch(problem, constraints, true);
}

double hypervolume(const std::vector<PlanPoint>& front, double most_ms, double most_loss) {
  double area = 0;
  for (size_t i = 0; i < front.size(); ++i) {
    const double right = std::min(most_ms, i + 1 < front.size() ? front[i + 1].ms : most_ms);
    if (right > front[i].ms && front[i].loss < most_loss)
      area += (right - front[i].ms) * (most_loss - front[i].loss);
  }
  return area;
}

Result<PlanPoint> repair(const PlanProblem& problem, const Assignment& plan, double deadline_ms,
                         const PlanConstraints& constraints) {
  std::optional<PlanPoint> point;
  if (plan.size() == problem.units.size() && obeys(problem, constraints, plan))
    point = point_of(problem, plan);
  while (point && point->ms > deadline_ms) point = cheapest_saving(problem, constraints, *point);
  if (!point) {
    const auto front = exact_plans(problem, constraints);
    if (!front) return front.error();
    const auto in_time = plan_for(*front, deadline_ms);
    if (!in_time) return in_time.error();
    point = front->front();
  }
  PlanPoint best = use_slack(problem, constraints, *std::move(point), deadline_ms);
  // An island: one unit between two of another processor.
  for (size_t u = 1; u + 1 < best.plan.size(); ++u) {
    if (best.plan[u] == best.plan[u - 1] || best.plan[u - 1] != best.plan[u + 1]) continue;
    Assignment merged = best.plan;
    merged[u] = merged[u - 1];
    if (!obeys(problem, constraints, merged)) continue;
    PlanPoint other = point_of(problem, std::move(merged));
    if (other.ms > deadline_ms) continue;
    other = use_slack(problem, constraints, std::move(other), deadline_ms);
    if (other.loss < best.loss || (other.loss == best.loss && other.ms < best.ms)) best = std::move(other);
  }
  return best;
}

}  // namespace fye
