// From graph, profile and losses to a plan problem: which tensors cross, in which forms, at which cost.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "graph/units.h"
#include "plan/problem.h"

namespace fye {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

class Maker {
 public:
  Maker(const Graph& graph, const Calib* calib, std::span<const Processor* const> processors,
        const Profile& profile, const Losses* losses)
      : graph_(graph),
        calib_(calib),
        processors_(processors),
        profile_(profile),
        losses_(losses),
        units_(units_of(graph)),
        unit_of_(graph.nodes.size()) {
    for (size_t u = 0; u < units_.size(); ++u)
      for (const int node : units_[u].nodes) unit_of_[size_t(node)] = int(u);
    for (const HandOver& hand : profile.hand_overs) hands_[{hand.tensor, hand.from, hand.to}] = hand.time.ms;
    if (losses) {
      for (const UnitLoss& loss : losses->units) unit_losses_[loss.unit] = &loss;
      for (const TensorLoss& loss : losses->tensors) tensor_losses_[loss.tensor] = &loss;
    }
  }

  Result<PlanProblem> make() {
    if (auto status = check_identity(); !status) return status.error();
    problem_.fixed_ms = profile_.fixed_ms;
    for (const Unit& unit : units_)
      if (auto status = add_unit(unit); !status) return status.error();
    for (TensorId tensor = 0; tensor < TensorId(graph_.tensors.size()); ++tensor)
      if (auto status = add_tensor(tensor); !status) return status.error();
    if (auto status = check_problem(problem_); !status) return status.error();
    return std::move(problem_);
  }

 private:
  Status check_identity() {
    const auto other = [&](const char* file, const std::string& sha256) {
      return bad_input(
          fmt::format("the {} is for another model file (sha256 {}, not {})", file, sha256, graph_.sha256),
          "measure this model");
    };
    const auto differs = [&](const std::string& sha256) {
      return !graph_.sha256.empty() && !sha256.empty() && sha256 != graph_.sha256;
    };
    if (differs(profile_.graph_sha256)) return other("profile", profile_.graph_sha256);
    if (losses_ && differs(losses_->graph_sha256)) return other("losses file", losses_->graph_sha256);
    if (processors_.empty()) return usage_error("there are no processors to plan for");
    std::string there;
    for (const std::string& name : profile_.processors) there += (there.empty() ? "" : ", ") + name;
    for (const Processor* p : processors_) {
      problem_.processors.emplace_back(p->name());
      if (std::find(profile_.processors.begin(), profile_.processors.end(), p->name()) ==
          profile_.processors.end())
        return bad_input(fmt::format("the profile has no times on {}, only on {}", p->name(), there),
                         "profile this model with that processor too");
    }
    return {};
  }

  Status add_unit(const Unit& unit) {
    PlanProblem::Unit row{unit.name, {}, {}, {}};
    const UnitTimes* times = profile_.unit(unit.name);
    if (!times)
      return bad_input(fmt::format("the profile has no unit \"{}\"", unit.name), "profile this model again");
    const auto losses = unit_losses_.find(unit.name);
    if (losses_ && losses == unit_losses_.end())
      return bad_input(fmt::format("the losses file has no unit \"{}\"", unit.name), "measure losses again");
    for (const Processor* p : processors_) {
      const std::string name(p->name());
      const auto time = times->on.find(name);
      row.ms.push_back(time == times->on.end() ? kNever : time->second.ms);
      double loss = 0;
      if (losses_) {
        const auto& on = losses->second->on;
        if (const auto found = on.find(name); found != on.end())
          loss = found->second;
        else if (time != times->on.end() && p->numbers() != Numbers::f32)
          return bad_input(fmt::format("the losses file has no part of unit \"{}\" on {}", unit.name, name),
                           "measure losses with that processor too");
      }
      row.loss.push_back(loss);
    }
    if (const auto mj = energy(row.ms)) row.mj = *mj;
    if (std::all_of(row.ms.begin(), row.ms.end(), [](double ms) { return std::isinf(ms); }))
      return bad_input(fmt::format("none of the processors to plan for can run unit \"{}\"", unit.name),
                       "add cpu.f32, which runs everything");
    problem_.units.push_back(std::move(row));
    return {};
  }

  // Milliseconds times watts; nothing unless the power of every processor is known.
  std::optional<std::vector<double>> energy(const std::vector<double>& ms) const {
    std::vector<double> mj;
    for (size_t p = 0; p < ms.size(); ++p) {
      const auto watts = profile_.watts.find(problem_.processors[p]);
      if (watts == profile_.watts.end()) return {};
      // A processor of no power does not make a unit possible.
      mj.push_back(std::isinf(ms[p]) ? kNever : ms[p] * watts->second);
    }
    return mj;
  }

  bool runs(int unit, size_t p) const { return !std::isinf(problem_.units[size_t(unit)].ms[p]); }

  // By processor; f32 stands where the unit can't run anyway.
  template <class Ask>
  Result<std::vector<Form>> forms(int unit, const Ask& ask) const {
    std::vector<Form> forms;
    for (size_t p = 0; p < processors_.size(); ++p) {
      forms.push_back(Form::f32);
      if (!runs(unit, p)) continue;
      const Result<Stored> stored = ask(*processors_[p]);
      if (!stored) return stored.error();
      forms.back() = form_of(stored->type);
    }
    return forms;
  }

  // Forms that occur: those of processors that can run the unit.
  std::set<Form> occurring(int unit, const std::vector<Form>& forms) const {
    if (unit == kNone) return {Form::host};
    std::set<Form> all;
    for (size_t p = 0; p < forms.size(); ++p)
      if (runs(unit, p)) all.insert(forms[p]);
    return all;
  }

  Status add_tensor(TensorId id) {
    PlanProblem::Tensor tensor{.name = graph_.tensors[size_t(id)].name};
    const int node = graph_.producer(id);
    const bool input = std::find(graph_.inputs.begin(), graph_.inputs.end(), id) != graph_.inputs.end();
    if (node == kNone && !input) return {};
    if (input) {
      tensor.form = {Form::host};
    } else {
      tensor.producer = unit_of_[size_t(node)];
      auto made = forms(tensor.producer, [&](const Processor& p) { return p.writes(graph_, calib_, node); });
      if (!made) return made.error();
      tensor.form = *std::move(made);
    }
    if (auto status = add_readers(id, tensor); !status) return status;
    if (tensor.readers.empty()) return {};
    if (auto status = add_hand_overs(tensor); !status) return status;
    if (auto status = add_losses(tensor); !status) return status;
    problem_.tensors.push_back(std::move(tensor));
    return {};
  }

  Status add_readers(TensorId id, PlanProblem::Tensor& tensor) const {
    for (const int node : graph_.consumers(id)) {
      const int unit = unit_of_[size_t(node)];
      if (unit == tensor.producer) continue;
      const auto& inputs = graph_.nodes[size_t(node)].inputs;
      for (size_t slot = 0; slot < inputs.size(); ++slot) {
        if (inputs[slot] != id) continue;
        auto read = forms(unit, [&](const Processor& p) { return p.reads(graph_, calib_, node, int(slot)); });
        if (!read) return read.error();
        const bool known = std::any_of(tensor.readers.begin(), tensor.readers.end(), [&](const auto& other) {
          return other.unit == unit && other.form == *read;
        });
        if (!known) tensor.readers.push_back({unit, *std::move(read), {}});
      }
    }
    if (graph_.is_output(id)) tensor.readers.push_back({kNone, {Form::host}, {}});
    return {};
  }

  Status add_hand_overs(PlanProblem::Tensor& tensor) const {
    for (const Form from : occurring(tensor.producer, tensor.form))
      for (const PlanProblem::Reader& reader : tensor.readers)
        for (const Form to : occurring(reader.unit, reader.form)) {
          if (from == to) continue;
          const auto found = hands_.find({tensor.name, from, to});
          if (found == hands_.end())
            return bad_input(fmt::format("the profile has no hand-over of tensor \"{}\" from {} to {}",
                                         tensor.name, name(from), name(to)),
                             "profile this model again, with all processors to plan for");
          tensor.ms[size_t(from)][size_t(to)] = found->second;
        }
    return {};
  }

  // A part that is there, or 0. Bytes without a part: nobody measured them.
  Result<double> part(const PlanProblem::Tensor& tensor, const std::map<Form, double>& parts,
                      Form form) const {
    if (const auto found = parts.find(form); found != parts.end()) return found->second;
    if (form != Form::u8) return 0.;
    return bad_input(
        fmt::format("the losses file has no part of tensor \"{}\" in {}", tensor.name, name(form)),
        "measure losses again, with all processors to plan for");
  }

  // Wherever the reader reads in `form`, its unit also reads in a coarser form, or in this one before.
  bool counted_elsewhere(const PlanProblem::Tensor& tensor, const PlanProblem::Reader& reader,
                         Form form) const {
    for (size_t p = 0; p < reader.form.size(); ++p) {
      if (reader.form[p] != form || !runs(reader.unit, p)) continue;
      bool elsewhere = false;
      for (const PlanProblem::Reader& other : tensor.readers) {
        if (other.unit != reader.unit || &other == &reader) continue;
        const int more = coarseness(other.form[p]) - coarseness(form);
        elsewhere = elsewhere || more > 0 || (more == 0 && &other < &reader);
      }
      if (!elsewhere) return false;
    }
    return true;
  }

  Status add_losses(PlanProblem::Tensor& tensor) const {
    if (!losses_) return {};
    static const TensorLoss kNothing;
    const auto found = tensor_losses_.find(tensor.name);
    const TensorLoss& losses = found == tensor_losses_.end() ? kNothing : *found->second;
    const std::set<Form> written = occurring(tensor.producer, tensor.form);
    for (const Form form : written) {
      const auto cost = part(tensor, losses.stored, form);
      if (!cost) return cost.error();
      tensor.loss[size_t(form)] = *cost;
    }
    for (PlanProblem::Reader& reader : tensor.readers) {
      if (reader.unit == kNone) continue;
      const auto own = losses.read.find(problem_.units[size_t(reader.unit)].name);
      for (const Form to : occurring(reader.unit, reader.form)) {
        if (counted_elsewhere(tensor, reader, to)) continue;
        const bool has_own = own != losses.read.end() && own->second.contains(to);
        const auto cost = part(tensor, has_own ? own->second : losses.stored, to);
        if (!cost) return cost.error();
        for (const Form from : written)
          if (coarseness(to) > coarseness(from)) reader.loss[size_t(from)][size_t(to)] = *cost;
      }
    }
    return {};
  }

  const Graph& graph_;
  const Calib* calib_;
  std::span<const Processor* const> processors_;
  const Profile& profile_;
  const Losses* losses_;
  std::vector<Unit> units_;
  std::vector<int> unit_of_;
  std::map<std::tuple<std::string, Form, Form>, double> hands_;
  std::map<std::string, const UnitLoss*> unit_losses_;
  std::map<std::string, const TensorLoss*> tensor_losses_;
  PlanProblem problem_;
};

}  // namespace

Result<PlanProblem> plan_problem(const Graph& graph, const Calib* calib,
                                 std::span<const Processor* const> processors, const Profile& profile,
                                 const Losses* losses) {
  return Maker(graph, calib, processors, profile, losses).make();
}

}  // namespace fye
