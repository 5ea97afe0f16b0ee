// Labels are partial plans: (time, loss) sums of a way from the first state to some state. In each state a
// label is dropped if another is no slower and no less true (`count` others for the best `count` plans:
// whatever completes it completes them, into plans that are all no worse), or if bounds.h says that it leads
// nowhere.
//
// Tested by plan/exact_test.cc against every plan of small problems, and by tests/oracle/planner_oracle.py
// against an integer programme.
#include "plan/exact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "plan/bounds.h"
#include "plan/state_graph.h"

namespace fye {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

constexpr int kMostSteps = 1 << 24;  // of any grid: bounds keep a number for each

struct Label {
  double loss, mj;
  int steps, parent, processor;
};

// Which labels of one state stay: `count` plans deep in (steps, loss), or one deep in (steps, loss, mj).
// Labels come in ascending steps, equal ones in ascending loss.
class Dominance {
 public:
  Dominance(int count, bool energy) : count_(size_t(count)), energy_(energy) {}

  bool stays(const Label& label) {
    if (energy_) return stays_with_energy(label);
    if (best_.size() == count_ && best_.back() <= label.loss) return false;
    best_.insert(std::upper_bound(best_.begin(), best_.end(), label.loss), label.loss);
    if (best_.size() > count_) best_.pop_back();
    return true;
  }

 private:
  bool stays_with_energy(const Label& label) {
    if (count_ > 1) {
      size_t better = 0;
      for (const auto& [loss, mj] : seen_) better += loss <= label.loss && mj <= label.mj;
      if (better >= count_) return false;
      seen_.emplace_back(label.loss, label.mj);
      return true;
    }
    // A staircase: ascending loss, descending mj.
    auto after = stairs_.upper_bound(label.loss);
    if (after != stairs_.begin() && std::prev(after)->second <= label.mj) return false;
    while (after != stairs_.end() && after->second >= label.mj) after = stairs_.erase(after);
    stairs_[label.loss] = label.mj;
    return true;
  }

  size_t count_;
  bool energy_;
  std::vector<double> best_;
  std::vector<std::pair<double, double>> seen_;
  std::map<double, double> stairs_;
};

using Useful = std::function<bool(int state, const Label& label)>;

struct Labels {
  std::vector<Label> all;
  size_t first_final = 0;  // those of whole plans are the last ones, ascending steps
  bool thinned = false;    // there were too many
};

// With `thin`, more than `most` in all means that states keep an even choice of theirs; without, an early
// end.
Labels all_labels(const StateGraph& graph, int count, bool energy, int most, bool thin,
                  const Useful& useful) {
  Labels labels;
  labels.all = {{0, 0, 0, -1, -1}};
  std::vector<size_t> begin = {0, 1};  // of the states of a layer
  std::vector<Label> mine;
  for (int layer = 0; layer + 1 < graph.layers(); ++layer) {
    const int from = graph.first_state[size_t(layer)], to = graph.first_state[size_t(layer) + 1];
    const int end = graph.first_state[size_t(layer) + 2];
    struct Into {
      int state, arc;
    };
    std::vector<std::vector<Into>> into(size_t(end - to));
    for (int s = from; s < to; ++s)
      for (int a = graph.first_arc[size_t(s)]; a < graph.first_arc[size_t(s) + 1]; ++a)
        into[size_t(graph.arcs[size_t(a)].to - to)].push_back({s, a});
    const size_t share = std::max<size_t>(2, size_t(most) / size_t(graph.layers()) / into.size());
    std::vector<size_t> next_begin = {labels.all.size()};
    for (size_t target = 0; target < into.size(); ++target) {
      mine.clear();
      for (const Into& way : into[target]) {
        const StateGraph::Arc& arc = graph.arcs[size_t(way.arc)];
        for (size_t l = begin[size_t(way.state - from)]; l < begin[size_t(way.state - from) + 1]; ++l) {
          const Label& before = labels.all[l];
          const Label label{before.loss + arc.loss, before.mj + arc.mj, before.steps + int(arc.steps), int(l),
                            arc.processor};
          if (useful(arc.to, label)) mine.push_back(label);
        }
      }
      std::sort(mine.begin(), mine.end(), [](const Label& a, const Label& b) {
        return a.steps != b.steps ? a.steps < b.steps : a.loss != b.loss ? a.loss < b.loss : a.mj < b.mj;
      });
      Dominance dominance(count, energy);
      mine.erase(
          std::remove_if(mine.begin(), mine.end(), [&](const Label& l) { return !dominance.stays(l); }),
          mine.end());
      if (thin && mine.size() > share && layer + 2 < graph.layers()) {
        labels.thinned = true;
        for (size_t i = 0; i < share; ++i) mine[i] = mine[i * (mine.size() - 1) / (share - 1)];
        mine.resize(share);
      }
      labels.all.insert(labels.all.end(), mine.begin(), mine.end());
      next_begin.push_back(labels.all.size());
      if (!thin && labels.all.size() > size_t(most)) {
        labels.thinned = true;
        return labels;
      }
    }
    begin = std::move(next_begin);
  }
  labels.first_final = begin[0];
  return labels;
}

class Planner {
 public:
  Planner(const PlanProblem& problem, const PlanConstraints& constraints, const ExactOptions& options)
      : problem_(problem), constraints_(constraints), options_(options) {}

  Status prepare() {
    auto graph = state_graph(problem_, constraints_, options_.most_states);
    if (!graph) return graph.error();
    graph_ = *std::move(graph);
    // Memory for bounds: doubles by state.
    constexpr int kMostBounds = 1 << 24;
    weights_ = std::clamp(kMostBounds / graph_.states(), 8, 64);
    report_.exact = graph_.complete;
    report_.states = size_t(graph_.states());
    if (const auto budget = constraints_.max_mj) {
      const double least = least_to_end(graph_, 0, 0, 1)[0];
      if (!(least <= *budget))
        return Error{ErrorCode::deadline, fmt::format("no plan takes at most {} mJ", *budget),
                     fmt::format("the thriftiest takes {:.3f} mJ", least)};
    }
    return {};
  }

  std::vector<PlanPoint> front() {
    const double right_end = right_end_ms();
    double step = options_.step_ms > 0 ? std::max(options_.step_ms, right_end / kMostSteps)
                                       : right_end / options_.steps;
    // Coarser while there are too many labels; below this many steps a choice of them is the better answer.
    constexpr int kCoarsest = 512;
    for (int steps = options_.steps;; steps /= 4, step *= 4) {
      set_grid(step);
      const bool thin = steps / 4 < kCoarsest || options_.step_ms > 0;
      const Labels labels = labels_on_front(0, {}, {}, thin);
      if (labels.thinned && !thin) continue;
      report_.exact = report_.exact && !labels.thinned;
      report_.labels = labels.all.size();
      std::vector<PlanPoint> found = plans(labels);
      if (constraints_.max_mj) found = within_energy(labels, std::move(found));
      return on_front(std::move(found));
    }
  }

  Result<std::vector<PlanPoint>> best(double deadline_ms, int count) {
    const double time = deadline_ms - graph_.fixed_ms;
    set_grid(options_.step_ms > 0 ? std::max(options_.step_ms, time / kMostSteps)
                                  : std::max(time, 0.) / options_.steps);
    const double fastest = least_to_end(graph_, 1, 0, 0)[0];
    // A deadline after the slowest plan is no different from the slowest plan.
    const int last =
        int(std::min(std::floor(std::max(time, 0.) / report_.step_ms * (1 + 1e-12)), longest_steps()));
    if (time < 0 || fastest > last) return too_fast(deadline_ms);
    const Bounds bounds(graph_, 0, last, constraints_.max_mj, weights_);
    const auto within = [&](double most, bool thin) {
      return all_labels(graph_, count, constraints_.max_mj.has_value(), options_.most_labels, thin,
                        [&, most](int state, const Label& label) {
                          return bounds.may_keep(state, label.steps, label.loss, label.mj, last, most);
                        });
    };
    // Ever larger losses, until there are enough plans below; between too few plans and too many labels, a
    // few tries in the middle.
    const double largest = largest_loss();
    const double start = std::isinf(bounds.known_loss(last)) ? largest : bounds.known_loss(last);
    double slack = (start - bounds.least_loss()) / 1024;
    if (!(slack > 0)) slack = 1e-4 * largest + 1e-12;
    double too_few = 0, too_many = kNever;
    constexpr int kTries = 40;
    Labels labels;
    for (int i = 0; i < kTries; ++i) {
      const double most = std::min(largest, start + slack);
      labels = within(most, false);
      const bool enough = labels.all.size() - labels.first_final >= size_t(count) || most >= largest;
      if (!labels.thinned && enough) break;
      (labels.thinned ? too_many : too_few) = slack;
      if (too_many < too_few * 1.1) break;
      slack = std::isinf(too_many) ? slack * 2 : (too_few + too_many) / 2;
    }
    // Without an end to the search: those that there are, or an even choice of too many.
    if (labels.thinned) labels = within(std::min(largest, start + slack), true);
    report_.exact = graph_.complete && !labels.thinned;
    report_.labels = labels.all.size();
    std::vector<PlanPoint> found = plans(labels);
    std::sort(found.begin(), found.end(), [](const PlanPoint& a, const PlanPoint& b) {
      return a.loss != b.loss ? a.loss < b.loss : a.ms < b.ms;
    });
    if (found.size() > size_t(count)) found.resize(size_t(count));
    if (found.size() < size_t(count) && start + slack < largest) report_.exact = false;
    if (found.empty()) return too_fast(deadline_ms);
    return found;
  }

  const ExactReport& report() const { return report_; }

 private:
  Labels labels_on_front(int first, std::optional<double> max_mj, const std::vector<Bounds::Known>& known,
                         bool thin) {
    const int last = int(std::min(right_end_steps(), double(kMostSteps)));
    const Bounds bounds(graph_, std::min(first, last), last, max_mj, weights_, known);
    return all_labels(graph_, 1, max_mj.has_value(), options_.most_labels, thin,
                      [&](int state, const Label& label) {
                        return bounds.may_be_on_front(state, label.steps, label.loss, label.mj);
                      });
  }

  // From the front without an energy budget to the one with: as far as its plans keep the budget they are the
  // best; only from the first that does not on does energy have to be looked at.
  std::vector<PlanPoint> within_energy(const Labels& labels, std::vector<PlanPoint> found) {
    size_t fine = 0;
    std::vector<Bounds::Known> known;
    for (; fine < found.size() && predicted_mj(problem_, found[fine].plan) <= *constraints_.max_mj; ++fine) {
      const Label& label = labels.all[labels.first_final + fine];
      known.push_back({label.steps, label.loss});
    }
    if (fine == found.size()) return found;
    const int first = labels.all[labels.first_final + fine].steps;
    found.resize(fine);
    Labels more = labels_on_front(first, constraints_.max_mj, known, false);
    if (more.thinned) more = labels_on_front(first, constraints_.max_mj, known, true);
    for (PlanPoint& point : plans(more)) found.push_back(std::move(point));
    report_.exact = report_.exact && !more.thinned;
    report_.labels += more.all.size();
    return found;
  }

  // Where the front ends: no plan on it is slower than the truest (ties go to the faster).
  double right_end_ms() {
    for (StateGraph::Arc& arc : graph_.arcs) arc.steps = arc.ms;
    if (constraints_.max_mj) return -least_to_end(graph_, -1, 0, 0)[0];
    return truest_steps();
  }
  double right_end_steps() const { return constraints_.max_mj ? longest_steps() : truest_steps(); }

  double longest_steps() const { return -least_to_end(graph_, -1, 0, 0)[0]; }
  double largest_loss() const { return -least_to_end(graph_, 0, -1, 0)[0]; }

  // Steps of a plan of the least loss: by loss, then steps, backwards.
  double truest_steps() const {
    std::vector<std::pair<double, double>> best(size_t(graph_.states()), {kNever, kNever});
    best.back() = {0, 0};
    for (size_t s = best.size() - 1; s-- > 0;)
      for (int a = graph_.first_arc[s]; a < graph_.first_arc[s + 1]; ++a) {
        const StateGraph::Arc& arc = graph_.arcs[size_t(a)];
        const auto& rest = best[size_t(arc.to)];
        best[s] = std::min(best[s], {arc.loss + rest.first, arc.steps + rest.second});
      }
    return best[0].second;
  }

  void set_grid(double step_ms) {
    // A network that takes no time at all has a grid of any size.
    report_.step_ms = step_ms > 0 ? step_ms : 1;
    constexpr double kRounding = 1e-9;  // a whole number of steps stays one
    // More than any grid has; such an arc is on no plan worth having, and sums stay within an int.
    constexpr double kEndless = 1 << 26;
    for (StateGraph::Arc& arc : graph_.arcs)
      arc.steps = std::clamp(std::ceil(arc.ms / report_.step_ms - kRounding), 0., kEndless);
  }

  std::vector<PlanPoint> plans(const Labels& labels) const {
    std::vector<PlanPoint> points;
    for (size_t l = labels.first_final; l < labels.all.size(); ++l) {
      PlanPoint point;
      for (const Label* label = &labels.all[l]; label->parent >= 0;
           label = &labels.all[size_t(label->parent)])
        point.plan.push_back(label->processor);
      std::reverse(point.plan.begin(), point.plan.end());
      point.ms = predicted_ms(problem_, point.plan);
      point.loss = predicted_loss(problem_, point.plan);
      points.push_back(std::move(point));
    }
    return points;
  }

  // What rounding up had hidden: plans that are beaten in true milliseconds.
  static std::vector<PlanPoint> on_front(std::vector<PlanPoint> points) {
    std::sort(points.begin(), points.end(), [](const PlanPoint& a, const PlanPoint& b) {
      return a.ms != b.ms ? a.ms < b.ms : a.loss < b.loss;
    });
    std::vector<PlanPoint> front;
    for (PlanPoint& point : points)
      if (front.empty() || point.loss < front.back().loss) front.push_back(std::move(point));
    return front;
  }

  Error too_fast(double deadline_ms) {
    const std::vector<PlanPoint> all = front();
    if (all.empty()) return internal_error("the exact planner found no plan");
    const auto answer = plan_for(all, deadline_ms);
    if (!answer) return answer.error();
    return Error{ErrorCode::deadline, fmt::format("no plan meets {} ms on the planner's grid", deadline_ms),
                 fmt::format("the fastest takes {:.3f} ms", all.front().ms)};
  }

  const PlanProblem& problem_;
  const PlanConstraints& constraints_;
  const ExactOptions& options_;
  StateGraph graph_;
  int weights_ = 0;
  ExactReport report_;
};

Status check_deadline(double ms) {
  if (ms > 0 && std::isfinite(ms)) return {};
  return usage_error(fmt::format("a deadline of {} ms is no time above 0", ms));
}

Status check_options(const ExactOptions& options) {
  if (options.steps < 1 || options.steps > kMostSteps || !(options.step_ms >= 0) ||
      options.most_states < 16 || options.most_labels < 1024)
    return internal_error("impossible options for the exact planner");
  return {};
}

}  // namespace

Result<std::vector<PlanPoint>> exact_plans(const PlanProblem& problem, const PlanConstraints& constraints,
                                           const ExactOptions& options, ExactReport* report) {
  if (auto status = check_options(options); !status) return status.error();
  Planner planner(problem, constraints, options);
  if (auto status = planner.prepare(); !status) return status.error();
  auto front = planner.front();
  if (front.empty()) return internal_error("the exact planner found no plan");
  if (report) *report = planner.report();
  return front;
}

Result<std::vector<PlanPoint>> best_plans(const PlanProblem& problem, double deadline_ms, int count,
                                          const PlanConstraints& constraints, const ExactOptions& options,
                                          ExactReport* report) {
  if (auto status = check_options(options); !status) return status.error();
  if (auto status = check_deadline(deadline_ms); !status) return status.error();
  if (count < 1) return internal_error("no plans were asked for");
  Planner planner(problem, constraints, options);
  if (auto status = planner.prepare(); !status) return status.error();
  auto plans = planner.best(deadline_ms, count);
  if (report) *report = planner.report();
  return plans;
}

Result<PlanPoint> plan_for(const std::vector<PlanPoint>& front, double deadline_ms) {
  if (auto status = check_deadline(deadline_ms); !status) return status.error();
  const PlanPoint* found = nullptr;
  for (const PlanPoint& point : front)
    if (point.ms <= deadline_ms) found = &point;
  if (found) return *found;
  if (front.empty()) return internal_error("an empty front");
  return Error{ErrorCode::deadline,
               fmt::format("no plan meets {:.3f} ms: the fastest takes {:.3f} ms, {:.3f} ms too long",
                           deadline_ms, front.front().ms, front.front().ms - deadline_ms),
               "allow more time, a smaller picture, or a smaller network"};
}

}  // namespace fye
