// Two (form written, forms paid) pairs of a tensor are the same to the future if every later reader finds the
// same prices for every form it may want; `Classes` finds one representative of each kind. That keeps the
// number of states small: a skip over many residual blocks is read by one unit in the end, whose wishes alone
// count. Tested by plan/exact_test.cc.
#include "plan/state_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>

namespace fye {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Form written and set of forms paid, in one byte: 5 forms, 5 bits.
using Code = unsigned char;
static_assert(kForms * (1 << kForms) <= 256);
Code code_of(Form written, unsigned paid) { return Code(unsigned(written) << kForms | paid); }
Form written_in(Code code) { return Form(code >> kForms); }
unsigned paid_in(Code code) { return code & ((1u << kForms) - 1); }

using Allowed = std::vector<std::vector<bool>>;

// Equivalent codes of one tensor.
class Classes {
 public:
  Classes(const PlanProblem::Tensor& tensor, const Allowed& allowed) : tensor_(tensor), allowed_(allowed) {}

  // The representative of `code` for readers in units after `unit`.
  Code canonical(int unit, Code code) {
    size_t next = 0;
    while (next < tensor_.readers.size() && tensor_.readers[next].unit != kNone &&
           tensor_.readers[next].unit <= unit)
      ++next;
    auto& known = known_[next];
    if (const auto found = known.codes.find(code); found != known.codes.end()) return found->second;
    const auto [same, fresh] = known.kinds.emplace(prices(next, code), code);
    return known.codes[code] = same->second;
  }

 private:
  struct Known {
    std::map<Code, Code> codes;
    std::map<std::vector<double>, Code> kinds;
  };

  std::vector<double> prices(size_t next, Code code) const {
    const auto written = size_t(written_in(code));
    std::vector<double> prices(kForms);
    for (size_t r = next; r < tensor_.readers.size() && tensor_.readers[r].unit != kNone; ++r) {
      const PlanProblem::Reader& reader = tensor_.readers[r];
      for (size_t p = 0; p < reader.form.size(); ++p) {
        if (!allowed_[size_t(reader.unit)][p]) continue;
        const auto form = size_t(reader.form[p]);
        if (form != written && !(paid_in(code) >> form & 1)) prices[form] = tensor_.ms[written][form];
        prices.push_back(reader.loss[written][form]);
      }
    }
    return prices;
  }

  const PlanProblem::Tensor& tensor_;
  const Allowed& allowed_;
  std::map<size_t, Known> known_;
};

// Sides from which states look promising, for when there are too many: (ms, loss) weights.
constexpr double kSides[][2] = {{1, 0}, {.8, .2}, {.5, .5}, {.2, .8}, {0, 1}};
constexpr int kSideCount = 5;

struct Draft {  // of a state
  std::string key;
  double reached[kSideCount];  // cheapest way here
};

class Maker {
 public:
  Maker(const PlanProblem& problem, const PlanConstraints& constraints, int most_states)
      : problem_(problem),
        limit_(constraints.max_switches),
        most_states_(most_states),
        allowed_(constraints.allowed) {
    const size_t processors = problem.processors.size();
    if (allowed_.empty()) allowed_.assign(problem.units.size(), std::vector<bool>(processors, true));
    needs_energy_ = constraints.max_mj.has_value();
  }

  Result<StateGraph> make() {
    if (auto status = check(); !status) return status.error();
    for (const PlanProblem::Tensor& tensor : problem_.tensors) classes_.emplace_back(tensor, allowed_);
    readers_of_unit_.resize(problem_.units.size());
    made_by_unit_.resize(problem_.units.size());
    last_reader_.assign(problem_.tensors.size(), kNone);
    for (size_t t = 0; t < problem_.tensors.size(); ++t) {
      if (problem_.tensors[t].producer != kNone)
        made_by_unit_[size_t(problem_.tensors[t].producer)].push_back(int(t));
      for (const PlanProblem::Reader& reader : problem_.tensors[t].readers) {
        if (reader.unit == kNone) continue;
        auto& mine = readers_of_unit_[size_t(reader.unit)];
        if (mine.empty() || mine.back() != int(t)) mine.push_back(int(t));
        last_reader_[t] = reader.unit;
      }
    }
    scales();

    graph_.fixed_ms = problem_.fixed_ms;
    Draft start;
    for (size_t t = 0; t < problem_.tensors.size(); ++t) {
      const PlanProblem::Tensor& tensor = problem_.tensors[t];
      if (tensor.producer != kNone) continue;
      graph_.fixed_loss += tensor.loss[size_t(Form::host)];
      if (last_reader_[t] != kNone) live_.push_back(int(t));
    }
    for (const int t : live_) start.key += char(classes_[size_t(t)].canonical(kNone, code_of(Form::host, 0)));
    if (limit_ >= 0) start.key += std::string(2, '\0');
    std::fill_n(start.reached, kSideCount, 0.);
    layer_ = {start};
    graph_.first_state = {0, 1};
    for (size_t u = 0; u < problem_.units.size(); ++u) place(int(u));
    graph_.first_arc.push_back(int(graph_.arcs.size()));  // of the end
    graph_.first_arc.push_back(int(graph_.arcs.size()));
    return std::move(graph_);
  }

 private:
  Status check() {
    if (allowed_.size() != problem_.units.size())
      return internal_error("constraints for another number of units");
    for (size_t u = 0; u < allowed_.size(); ++u) {
      const PlanProblem::Unit& unit = problem_.units[u];
      if (allowed_[u].size() != problem_.processors.size())
        return internal_error("constraints for another number of processors");
      bool any = false, could = false;
      std::string runs_on;
      for (size_t p = 0; p < allowed_[u].size(); ++p) {
        if (std::isinf(unit.ms[p])) {
          could = could || allowed_[u][p];
          allowed_[u][p] = false;
        } else {
          runs_on += (runs_on.empty() ? "" : ", ") + problem_.processors[p];
        }
        any = any || allowed_[u][p];
      }
      if (!any)
        return bad_input(could ? fmt::format("unit \"{}\" can't run where it has to", unit.name)
                               : fmt::format("unit \"{}\" may not run anywhere", unit.name),
                         runs_on.empty() ? "" : "it can run on: " + runs_on);
      bool known = !unit.mj.empty();
      for (size_t p = 0; known && p < unit.mj.size(); ++p) known = !allowed_[u][p] || !std::isinf(unit.mj[p]);
      if (needs_energy_ && !known)
        return bad_input(
            fmt::format("the energy of unit \"{}\" is not known, so no plan can keep within a budget",
                        unit.name),
            "plan without an energy budget, or measure energy first");
    }
    return limit_ >= 0 ? check_switches() : Status();
  }

  // The fewest further switches from each unit and processor.
  Status check_switches() {
    const size_t units = allowed_.size(), processors = problem_.processors.size();
    constexpr int kMany = 1 << 20;
    fewest_.assign(units, std::vector<int>(processors, kMany));
    for (size_t u = units; u-- > 0;)
      for (size_t p = 0; p < processors; ++p) {
        if (!allowed_[u][p]) continue;
        fewest_[u][p] = u + 1 == units ? 0 : kMany;
        for (size_t q = 0; u + 1 < units && q < processors; ++q)
          if (allowed_[u + 1][q]) fewest_[u][p] = std::min(fewest_[u][p], fewest_[u + 1][q] + (p != q));
      }
    const int least = *std::min_element(fewest_[0].begin(), fewest_[0].end());
    // A count lives in one byte of a state; more switches than units are any number.
    if (limit_ >= int(units) || limit_ > 250)
      limit_ = -1;
    else if (least > limit_)
      return Error{ErrorCode::deadline, fmt::format("no plan has at most {} switches", limit_),
                   fmt::format("the fewest that the other conditions allow are {}", least)};
    return {};
  }

  // So that weights mean the same to milliseconds and to grey levels.
  void scales() {
    for (const PlanProblem::Unit& unit : problem_.units) {
      double most = 0;
      for (const double ms : unit.ms)
        if (!std::isinf(ms)) most = std::max(most, ms);
      ms_scale_ += most;
      loss_scale_ += *std::max_element(unit.loss.begin(), unit.loss.end());
    }
    for (const PlanProblem::Tensor& tensor : problem_.tensors)
      loss_scale_ += *std::max_element(tensor.loss.begin(), tensor.loss.end());
    if (!(ms_scale_ > 0)) ms_scale_ = 1;
    if (!(loss_scale_ > 0)) loss_scale_ = 1;
  }

  // All arcs of one unit, and the next layer.
  void place(int unit) {
    std::vector<int> next_live;
    for (const int t : live_)
      if (last_reader_[size_t(t)] > unit) next_live.push_back(t);
    for (const int t : made_by_unit_[size_t(unit)])
      if (last_reader_[size_t(t)] != kNone) next_live.push_back(t);
    const bool last = unit + 1 == int(problem_.units.size());

    std::unordered_map<std::string, int> index;
    std::vector<Draft> next;
    const size_t arcs_begin = graph_.arcs.size();
    for (const Draft& state : layer_) {
      graph_.first_arc.push_back(int(graph_.arcs.size()));
      for (size_t p = 0; p < problem_.processors.size(); ++p) {
        if (!allowed_[size_t(unit)][p]) continue;
        StateGraph::Arc arc{0, int(p), 0, 0, 0};
        std::string key = walk(unit, int(p), state, next_live, arc);
        if (limit_ >= 0) {
          const int before = unit == 0 ? int(p) : int(state.key[state.key.size() - 2]);
          const int count = int(static_cast<unsigned char>(state.key.back())) + (before != int(p));
          if (count + fewest_[size_t(unit)][p] > limit_) continue;
          if (!last) key += {char(p), char(count)};
        }
        const auto [found, fresh] = index.emplace(std::move(key), int(next.size()));
        if (fresh) {
          next.push_back({found->first, {}});
          std::fill_n(next.back().reached, kSideCount, kNever);
        }
        arc.to = found->second;
        Draft& target = next[size_t(arc.to)];
        for (int side = 0; side < kSideCount; ++side)
          target.reached[side] =
              std::min(target.reached[side], state.reached[side] + kSides[side][0] * arc.ms / ms_scale_ +
                                                 kSides[side][1] * arc.loss / loss_scale_);
        graph_.arcs.push_back(arc);
      }
    }
    if (int(next.size()) > most_states_) leave_out(next, arcs_begin);
    const int base = graph_.first_state.back();
    for (size_t a = arcs_begin; a < graph_.arcs.size(); ++a) graph_.arcs[a].to += base;
    graph_.first_state.push_back(base + int(next.size()));
    layer_ = std::move(next);
    live_ = std::move(next_live);
  }

  // What placing `unit` on `p` costs from `state`, and the tensors' part of the next state's key.
  std::string walk(int unit, int p, const Draft& state, const std::vector<int>& next_live,
                   StateGraph::Arc& arc) {
    const PlanProblem::Unit& costs = problem_.units[size_t(unit)];
    arc.ms = costs.ms[size_t(p)];
    arc.loss = costs.loss[size_t(p)];
    if (needs_energy_) arc.mj = costs.mj[size_t(p)];
    codes_.assign(problem_.tensors.size(), 0);
    for (size_t i = 0; i < live_.size(); ++i) codes_[size_t(live_[i])] = Code(state.key[i]);
    for (const int t : readers_of_unit_[size_t(unit)]) {
      const PlanProblem::Tensor& tensor = problem_.tensors[size_t(t)];
      const Form written = written_in(codes_[size_t(t)]);
      unsigned paid = paid_in(codes_[size_t(t)]);
      for (const PlanProblem::Reader& reader : tensor.readers) {
        if (reader.unit != unit) continue;
        const Form form = reader.form[size_t(p)];
        arc.loss += reader.loss[size_t(written)][size_t(form)];
        if (form == written || (paid >> unsigned(form) & 1)) continue;
        arc.ms += tensor.ms[size_t(written)][size_t(form)];
        paid |= 1u << unsigned(form);
      }
      codes_[size_t(t)] = code_of(written, paid);
    }
    for (const int t : made_by_unit_[size_t(unit)]) {
      const PlanProblem::Tensor& tensor = problem_.tensors[size_t(t)];
      const Form written = tensor.form[size_t(p)];
      codes_[size_t(t)] = code_of(written, 0);
      arc.loss += tensor.loss[size_t(written)];
      if (tensor.readers.empty() || tensor.readers.back().unit != kNone) continue;
      arc.ms += tensor.ms[size_t(written)][size_t(Form::host)];
      arc.loss += tensor.readers.back().loss[size_t(written)][size_t(Form::host)];
    }
    std::string key;
    for (const int t : next_live) key += char(classes_[size_t(t)].canonical(unit, codes_[size_t(t)]));
    return key;
  }

  void leave_out(std::vector<Draft>& next, size_t arcs_begin) {
    graph_.complete = false;
    std::vector<char> keep(next.size(), 0);
    std::vector<int> order(next.size());
    for (int side = 0; side < kSideCount; ++side) {
      for (size_t i = 0; i < order.size(); ++i) order[i] = int(i);
      const auto end = order.begin() + std::max(1, most_states_ / kSideCount);
      std::nth_element(order.begin(), end, order.end(), [&](int a, int b) {
        return next[size_t(a)].reached[side] < next[size_t(b)].reached[side];
      });
      for (auto i = order.begin(); i != end; ++i) keep[size_t(*i)] = 1;
    }
    std::vector<int> new_index(next.size(), -1);
    std::vector<Draft> kept;
    for (size_t i = 0; i < next.size(); ++i) {
      if (!keep[i]) continue;
      new_index[i] = int(kept.size());
      kept.push_back(std::move(next[i]));
    }
    next = std::move(kept);
    // Arcs to them go; the states that they start from move up.
    size_t to = arcs_begin, from = arcs_begin;
    const size_t first = graph_.first_arc.size() - layer_.size();
    for (size_t s = first; s < graph_.first_arc.size(); ++s) {
      const size_t end =
          s + 1 < graph_.first_arc.size() ? size_t(graph_.first_arc[s + 1]) : graph_.arcs.size();
      graph_.first_arc[s] = int(to);
      for (; from < end; ++from) {
        StateGraph::Arc arc = graph_.arcs[from];
        arc.to = new_index[size_t(arc.to)];
        if (arc.to >= 0) graph_.arcs[to++] = arc;
      }
    }
    graph_.arcs.resize(to);
  }

  const PlanProblem& problem_;
  int limit_, most_states_;
  bool needs_energy_ = false;
  Allowed allowed_;
  std::vector<Classes> classes_;                                  // by tensor
  std::vector<std::vector<int>> readers_of_unit_, made_by_unit_;  // tensors
  std::vector<int> last_reader_;                                  // by tensor; kNone: only the host
  std::vector<std::vector<int>> fewest_;
  std::vector<int> live_;  // tensors, in the order of a key's bytes
  std::vector<Draft> layer_;
  std::vector<Code> codes_;  // by tensor, while walking
  double ms_scale_ = 0, loss_scale_ = 0;
  StateGraph graph_;
};

}  // namespace

Result<StateGraph> state_graph(const PlanProblem& problem, const PlanConstraints& constraints,
                               int most_states) {
  if (auto status = check_problem(problem); !status) return status.error();
  return Maker(problem, constraints, most_states).make();
}

}  // namespace fye
