// The two-phase idea for problems with two objectives (Ulungu and Teghem 1995): weighted sums have one label
// a state and are solved at once; their solutions lie on the convex hull of the front, and the sums are lower
// bounds on everything else. A partial plan is worth keeping only if it can end between the known plans and
// those bounds. Known plans are plenty: each solution forwards and backwards gives, for every arc, the best
// plan through it.
#include "plan/bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace fye {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kRelative = 1e-9;  // far above the rounding of sums of some hundred numbers

struct Sum {
  double value = kNever, steps = 0, loss = 0, mj = 0;
};

// Best way from every state to the end, or from the first state to every state.
std::vector<Sum> best_ways(const StateGraph& graph, double loss_weight, double mj_weight, bool to_end) {
  std::vector<Sum> best(size_t(graph.states()));
  best[to_end ? best.size() - 1 : 0].value = 0;
  const auto relax = [&](Sum& into, const Sum& from, const StateGraph::Arc& arc) {
    const double value = from.value + arc.steps + loss_weight * arc.loss + mj_weight * arc.mj;
    if (value < into.value) into = {value, from.steps + arc.steps, from.loss + arc.loss, from.mj + arc.mj};
  };
  const int states = graph.states();
  for (int i = 0; i < states; ++i) {
    const size_t s = size_t(to_end ? states - 1 - i : i);
    for (int a = graph.first_arc[s]; a < graph.first_arc[s + 1]; ++a) {
      const StateGraph::Arc& arc = graph.arcs[size_t(a)];
      if (to_end)
        relax(best[s], best[size_t(arc.to)], arc);
      else
        relax(best[size_t(arc.to)], best[s], arc);
    }
  }
  return best;
}

}  // namespace

std::vector<double> least_to_end(const StateGraph& graph, double a, double b, double c) {
  std::vector<double> least(size_t(graph.states()), kNever);
  least.back() = 0;
  for (size_t s = least.size() - 1; s-- > 0;)
    for (int i = graph.first_arc[s]; i < graph.first_arc[s + 1]; ++i) {
      const StateGraph::Arc& arc = graph.arcs[size_t(i)];
      least[s] = std::min(least[s], a * arc.steps + b * arc.loss + c * arc.mj + least[size_t(arc.to)]);
    }
  return least;
}

Bounds::Bounds(const StateGraph& graph, int first, int last, std::optional<double> max_mj, int most_weights,
               const std::vector<Known>& known)
    : graph_(graph), first_(first), last_(last), max_mj_(max_mj), known_(size_t(last) + 1, kNever) {
  for (const Known& plan : known)
    known_[size_t(plan.steps)] = std::min(known_[size_t(plan.steps)], plan.loss);
  least_steps_ = least_to_end(graph, 1, 0, 0);
  least_loss_ = least_to_end(graph, 0, 1, 0);
  least_mj_ = least_to_end(graph, 0, 0, 1);
  largest_loss_ = -least_to_end(graph, 0, -1, 0)[0];
  choose_weights(most_weights);
  for (size_t t = 1; t < known_.size(); ++t) known_[t] = std::min(known_[t], known_[t - 1]);
  set_ceilings();
}

// Adds a bound, and what it finds to the known plans. Returns the best plan of this sum.
Bounds::Point Bounds::solve(double loss_weight, double mj_weight) {
  const std::vector<Sum> behind = best_ways(graph_, loss_weight, mj_weight, false);
  const std::vector<Sum> ahead = best_ways(graph_, loss_weight, mj_weight, true);
  for (size_t s = 0; s + 1 < ahead.size(); ++s) {
    if (std::isinf(behind[s].value)) continue;
    for (int a = graph_.first_arc[s]; a < graph_.first_arc[s + 1]; ++a) {
      const StateGraph::Arc& arc = graph_.arcs[size_t(a)];
      const Sum& rest = ahead[size_t(arc.to)];
      const double steps = behind[s].steps + arc.steps + rest.steps;
      if (!(steps <= last_) || std::isinf(rest.value)) continue;
      if (max_mj_ && behind[s].mj + arc.mj + rest.mj > *max_mj_) continue;
      double& known = known_[size_t(steps)];
      known = std::min(known, behind[s].loss + arc.loss + rest.loss);
    }
  }
  Weights weights{loss_weight, mj_weight, {}};
  for (const Sum& sum : ahead) weights.least.push_back(sum.value);
  weights_.push_back(std::move(weights));
  return {ahead[0].steps, ahead[0].loss, ahead[0].mj};
}

// The dearest energy under which this sum keeps the budget, by bisection: the tightest bound of its kind.
Bounds::Point Bounds::solve_within_budget(double loss_weight, double mj_weight) {
  Point point = solve(loss_weight, 0);
  if (point.mj <= *max_mj_) return point;
  double low = 0, high = mj_weight;
  constexpr int kDoublings = 20, kBisections = 8;
  for (int i = 0; i < kDoublings; ++i, high *= 4) {
    point = solve(loss_weight, high);
    if (point.mj <= *max_mj_) break;
    weights_.pop_back();
    low = high;
  }
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (low + high) / 2;
    point = solve(loss_weight, middle);
    (point.mj <= *max_mj_ ? high : low) = middle;
    // All of them hold; keeping the last few is enough.
    if (i + 2 < kBisections) weights_.pop_back();
  }
  return point;
}

void Bounds::choose_weights(int most) {
  // Sums of one kind only, as good as pure: the other decides between equals.
  const double steps = std::max(1., double(last_)), loss = largest_loss_ > 0 ? largest_loss_ : 1;
  constexpr double kHardly = 1e-7;
  if (max_mj_) {
    // From all time to all loss; every weight comes with the energies that its bisection ends with.
    const int count = std::max(8, most / 2);
    constexpr double kFactor = 1e5;
    for (int i = 0; i < count; ++i)
      solve_within_budget(std::pow(kFactor, 2. * i / (count - 1) - 1) * steps / loss,
                          steps / std::max(least_mj_[0], 1e-12));
    return;
  }
  const Point fastest = solve(kHardly * steps / loss, 0);
  const Point truest = solve(steps / loss / kHardly, 0);
  struct Gap {
    Point left, right;
    double area() const { return (right.steps - left.steps) * (left.loss - right.loss); }
    bool operator<(const Gap& other) const { return area() < other.area(); }
  };
  std::priority_queue<Gap> gaps;
  gaps.push({fastest, truest});
  while (!gaps.empty() && int(weights_.size()) < most) {
    const Gap gap = gaps.top();
    gaps.pop();
    if (!(gap.area() > 0)) break;
    const double weight = (gap.right.steps - gap.left.steps) / (gap.left.loss - gap.right.loss);
    const Point point = solve(weight, 0);
    const double on_line = gap.left.steps + weight * gap.left.loss;
    if (point.steps + weight * point.loss < on_line * (1 - kRelative) && point.steps > gap.left.steps &&
        point.steps < gap.right.steps) {
      gaps.push({gap.left, point});
      gaps.push({point, gap.right});
    }
  }
}

// Each time belongs to the bound that is tightest there.
void Bounds::set_ceilings() {
  for (const double loss : known_)
    if (!std::isinf(loss)) tolerance_ = std::max(tolerance_, loss * kRelative);
  const double budget = max_mj_.value_or(0);
  // Few loss weights first: those are tight at short times.
  std::stable_sort(weights_.begin(), weights_.end(),
                   [](const Weights& a, const Weights& b) { return a.loss < b.loss; });
  for (int t = std::max(first_, int(least_steps_[0])); t <= last_; ++t) {
    if (std::isinf(known_[size_t(t)])) {
      unknown_until_ = t;
      continue;
    }
    Weights* best = nullptr;
    double tightest = -kNever;
    for (Weights& weights : weights_) {
      const double bound = (weights.least[0] - weights.mj * budget - t) / weights.loss;
      if (bound > tightest) tightest = bound, best = &weights;
    }
    const double reach = t + best->loss * (known_[size_t(t)] + tolerance_) + best->mj * budget;
    if (!best->in_use) best->first = t, best->ceiling = reach;
    best->in_use = true;
    best->ceiling = std::max(best->ceiling, reach);
  }
}

bool Bounds::fits(const Weights& weights, int state, int steps, double loss, double mj,
                  double ceiling) const {
  const double least = steps + weights.loss * loss + weights.mj * mj + weights.least[size_t(state)];
  return least <= ceiling + kRelative * std::abs(ceiling);
}

bool Bounds::may_be_on_front(int state, int steps, double loss, double mj) const {
  const size_t s = size_t(state);
  const double least_steps = steps + least_steps_[s], least_loss = loss + least_loss_[s];
  if (least_steps > last_) return false;
  if (least_loss > known_[size_t(least_steps)] + tolerance_) return false;
  if (max_mj_ && mj + least_mj_[s] > *max_mj_ * (1 + kRelative)) return false;
  if (unknown_until_ >= 0 && may_keep(state, steps, loss, mj, unknown_until_, largest_loss_)) return true;
  for (const Weights& weights : weights_)
    if (weights.in_use && fits(weights, state, steps, loss, mj, weights.ceiling)) return true;
  return false;
}

bool Bounds::may_keep(int state, int steps, double loss, double mj, int most_steps, double most_loss) const {
  const size_t s = size_t(state);
  if (steps + least_steps_[s] > most_steps || loss + least_loss_[s] > most_loss + tolerance_) return false;
  if (max_mj_ && mj + least_mj_[s] > *max_mj_ * (1 + kRelative)) return false;
  for (const Weights& weights : weights_) {
    const double ceiling =
        most_steps + weights.loss * (most_loss + tolerance_) + weights.mj * max_mj_.value_or(0);
    if (!fits(weights, state, steps, loss, mj, ceiling)) return false;
  }
  return true;
}

}  // namespace fye
