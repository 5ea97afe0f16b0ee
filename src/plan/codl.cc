// CoDL's planner (Jia et al., MobiSys 2022, DOI 10.1145/3498361.3538932; spec/baselines.md, section 3).
// Tested by plan/rivals_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "execute/macs.h"
#include "plan/rivals.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

constexpr double kImpossible = std::numeric_limits<double>::infinity();
constexpr int kFaithfulSteps = 10, kStrongSteps = 20;
// Steps of a tenth that a chain's ratio may lie beside its head's.
constexpr int kAround = 3;

// How a run of units is cut: by rows or channels, the first processor's part in steps.
struct Choice {
  Sharing::By by = Sharing::By::rows;
  int part = 0;
  double ms = kImpossible;
};

class Codl {
 public:
  Codl(const Graph& graph, const RivalPair& pair, const CodlCosts& costs, const std::vector<int64_t>& macs,
       int steps)
      : graph_(graph), pair_(pair), costs_(costs), steps_(steps), units_(units_of(graph)) {
    // Nodes without multiplications take time by their pixels.
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      work_.push_back(macs[n] > 0 ? double(macs[n])
                                  : double(element_count(costs.shapes[size_t(graph.nodes[n].output)])));
  }

  size_t count() const { return units_.size(); }

  // Units [from, to) as one chain with the first processor's part.
  double chain_ms(size_t from, size_t to, int part) {
    const auto [cached, fresh] = known_.try_emplace({from, to, part}, 0.);
    if (!fresh) return cached->second;
    double ms[2] = {};
    const std::vector<int> nodes = nodes_of(from, to);
    const std::vector<TensorId> ends = ends_of(nodes);
    for (int p = 0; p < 2; ++p) {
      const double share = p == 0 ? double(part) / steps_ : 1 - double(part) / steps_;
      if (share == 0) continue;
      std::vector<Region> stripes;
      for (const TensorId tensor : ends) {
        const MapSize size = map_size(costs_.shapes[size_t(tensor)]);
        const int rows = std::clamp(int(std::lround(share * size.height)), 1, size.height);
        stripes.push_back({p == 0 ? 0 : size.height - rows, 0, rows, size.width});
      }
      const std::vector<Region> demand = propagate(graph_, nodes, {}, ends, stripes, costs_.shapes);
      for (size_t u = from; u < to; ++u) {
        double needed = 0, all = 0;
        for (const int node : units_[u].nodes) {
          const TensorId out = graph_.nodes[size_t(node)].output;
          const double work = work_[size_t(node)];
          needed += work * demand[size_t(out)].h / map_size(costs_.shapes[size_t(out)]).height;
          all += work;
        }
        ms[p] += costs_.unit_ms[u][size_t(p)] * (all > 0 ? needed / all : share);
      }
    }
    const bool both = ms[0] > 0 && ms[1] > 0;
    return cached->second =
               (pair_.at_once ? std::max(ms[0], ms[1]) : ms[0] + ms[1]) + (both ? costs_.wait_ms : 0);
  }

  // A unit by channels, measured at the nearest part.
  double channels_ms(size_t unit, int part) const {
    if (!costs_.channels || part == 0 || part == steps_) return kImpossible;
    const auto& parts = costs_.channels->parts;
    const double wanted = double(part) / steps_;
    const auto nearest = std::min_element(parts.begin(), parts.end(), [&](double a, double b) {
      return std::abs(a - wanted) < std::abs(b - wanted);
    });
    return std::abs(*nearest - wanted) > .5 / steps_ + 1e-9
               ? kImpossible
               : costs_.channels->ms[unit][size_t(nearest - parts.begin())];
  }

  Choice best_alone(size_t unit) {
    Choice best;
    for (int part = 0; part <= steps_; ++part) {
      for (const auto& [by, ms] : {std::pair{Sharing::By::rows, chain_ms(unit, unit + 1, part)},
                                   std::pair{Sharing::By::channels, channels_ms(unit, part)}})
        if (ms < best.ms) best = {by, part, ms};
    }
    return best;
  }

  Choice best_chain(size_t from, size_t to, int least, int most) {
    Choice best;
    for (int part = std::max(0, least); part <= std::min(steps_, most); ++part)
      if (const double ms = chain_ms(from, to, part); ms < best.ms) best = {Sharing::By::rows, part, ms};
    return best;
  }

  int steps() const { return steps_; }

  PlanStep step(size_t from, size_t to, const Choice& choice) const {
    PlanStep made;
    for (size_t u = from; u < to; ++u) made.units.push_back(units_[u].name);
    const double part = double(choice.part) / steps_;
    if (choice.part == steps_)
      made.processor = pair_.first;
    else if (choice.part == 0)
      made.processor = pair_.second;
    else
      made.sharing = Sharing{.by = choice.by, .shares = {{pair_.first, part}, {pair_.second, 1 - part}}};
    made.reason = fmt::format("{:.3f} ms", choice.ms);
    return made;
  }

 private:
  std::vector<int> nodes_of(size_t from, size_t to) const {
    std::vector<int> nodes;
    for (size_t u = from; u < to; ++u)
      nodes.insert(nodes.end(), units_[u].nodes.begin(), units_[u].nodes.end());
    std::sort(nodes.begin(), nodes.end());
    return nodes;
  }
  // Tensors that these nodes write and others read.
  std::vector<TensorId> ends_of(const std::vector<int>& nodes) const {
    std::vector<TensorId> ends;
    for (const int node : nodes) {
      const TensorId out = graph_.nodes[size_t(node)].output;
      const std::vector<int> readers = graph_.consumers(out);
      const bool outside = std::any_of(readers.begin(), readers.end(), [&](int r) {
        return !std::binary_search(nodes.begin(), nodes.end(), r);
      });
      if (outside || graph_.is_output(out)) ends.push_back(out);
    }
    return ends;
  }

  const Graph& graph_;
  const RivalPair& pair_;
  const CodlCosts& costs_;
  const int steps_;
  const std::vector<Unit> units_;
  std::vector<double> work_;  // by node
  std::map<std::tuple<size_t, size_t, int>, double> known_;
};

// Section 3.3: heads with what is best for them alone, chains that grow while that gains.
RivalPlan greedy(Codl& codl) {
  RivalPlan made;
  for (size_t head = 0; head < codl.count();) {
    const Choice alone = codl.best_alone(head);
    Choice best = alone;
    size_t end = head + 1;
    double most_gained = 0;
    const bool rows = alone.by == Sharing::By::rows;
    for (int part = alone.part - kAround; rows && part <= alone.part + kAround; ++part) {
      if (part < 0 || part > codl.steps()) continue;
      double chained = codl.chain_ms(head, head + 1, part), gained = alone.ms - chained;
      size_t to = head + 1;
      while (to < codl.count()) {
        const double longer = codl.chain_ms(head, to + 1, part);
        const double gain = chained + codl.best_alone(to).ms - longer;
        if (gain < 0) break;
        gained += gain, chained = longer, ++to;
      }
      if (gained > most_gained) most_gained = gained, best = {Sharing::By::rows, part, chained}, end = to;
    }
    made.plan.steps.push_back(codl.step(head, end, best));
    made.ms += best.ms;
    head = end;
  }
  return made;
}

// V[j] = min over i of V[i] + the best chain of units [i, j): exact under these costs.
RivalPlan exact(Codl& codl) {
  const size_t n = codl.count();
  std::vector<double> least(n + 1, kImpossible);
  std::vector<size_t> from(n + 1, 0);
  std::vector<Choice> how(n + 1);
  least[0] = 0;
  for (size_t j = 1; j <= n; ++j)
    for (size_t i = 0; i < j; ++i) {
      const Choice choice = j == i + 1 ? codl.best_alone(i) : codl.best_chain(i, j, 0, codl.steps());
      if (least[i] + choice.ms < least[j]) least[j] = least[i] + choice.ms, from[j] = i, how[j] = choice;
    }
  RivalPlan made{.plan = {}, .ms = least[n]};
  for (size_t j = n; j > 0; j = from[j]) made.plan.steps.push_back(codl.step(from[j], j, how[j]));
  std::reverse(made.plan.steps.begin(), made.plan.steps.end());
  return made;
}

}  // namespace

Result<RivalPlan> codl_plan(const Graph& graph, const RivalPair& pair, const CodlCosts& costs,
                            RivalForm form) {
  if (costs.unit_ms.size() != units_of(graph).size() || costs.shapes.size() != graph.tensors.size())
    return internal_error("CoDL's costs are those of another network");
  const Shape& in = costs.shapes[size_t(graph.inputs[0])];
  const auto macs = macs_by_node(graph, int(in[2]), int(in[3]));
  if (!macs) return macs.error();
  Codl codl(graph, pair, costs, *macs, form == RivalForm::faithful ? kFaithfulSteps : kStrongSteps);
  RivalPlan made = form == RivalForm::faithful ? greedy(codl) : exact(codl);
  made.plan.graph_sha256 = graph.sha256;
  made.plan.ms = made.ms;
  return made;
}

}  // namespace fye
