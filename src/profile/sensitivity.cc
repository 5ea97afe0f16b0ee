// Parts one at a time from the float network (findings-precision.md, section 10), then the same question from
// the other end: what the uniform network of a processor gains if one unit alone goes back to float. Where
// roundings know each other, a unit costs less among others than alone; the mean of both ends is right for
// the average plan between them to second order. Tested by profile/sensitivity_test.cc: against plain runs of
// the executor, and that the sum predicts random mixed plans.
#include "profile/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "execute/calibrate.h"
#include "execute/fidelity.h"
#include "execute/plain.h"
#include "execute/stepper.h"
#include "graph/units.h"
#include "profile/dummy.h"

namespace fye {
namespace {

// One thing to ask every crop: a placement or a detour, and where its answer goes.
struct Question {
  std::vector<const Processor*> placement;
  std::vector<Detour> detours;
  double* answer;
};

// A tensor that crosses, the forms it could take, and who reads it.
struct Crossing {
  TensorId tensor;
  std::map<Form, Stored> forms;
  std::map<std::string, std::vector<int>> readers;  // by unit
};

class Pass {
 public:
  Pass(const Graph& graph, const Calib* calib, const Processor* base,
       std::span<const Processor* const> processors)
      : graph_(graph),
        calib_(calib),
        base_(base),
        processors_(processors),
        units_(units_of(graph)),
        unit_of_(graph.nodes.size()) {
    for (size_t u = 0; u < units_.size(); ++u)
      for (int node : units_[u].nodes) unit_of_[size_t(node)] = int(u);
  }

  // Maps stay where they are once questions point into them: lists and maps never move their values.
  Losses prepare() {
    Losses losses;
    losses.graph_sha256 = graph_.sha256;
    losses.calib = calib_ ? calib_->method : "";
    for (const Unit& unit : units_) losses.units.push_back({unit.name, {}});
    for (TensorId tensor = 0; tensor < TensorId(graph_.tensors.size()); ++tensor)
      if (crosses(tensor)) losses.tensors.push_back({graph_.tensors[size_t(tensor)].name, {}, {}});
    return losses;
  }

  std::vector<Question> questions(Losses& losses) {
    std::vector<Question> all;
    const auto everything_on_base = everywhere(graph_, base_);
    size_t next = 0;
    for (TensorId tensor = 0; tensor < TensorId(graph_.tensors.size()); ++tensor) {
      if (!crosses(tensor)) continue;
      TensorLoss& loss = losses.tensors[next++];
      const Crossing crossing = crossing_of(tensor);
      for (const auto& [form, stored] : crossing.forms) {
        if (form == base_form(tensor)) continue;
        all.push_back({everything_on_base, {{tensor, stored, {}}}, &loss.stored[form]});
        if (crossing.readers.size() < 2) continue;
        for (const auto& [unit, nodes] : crossing.readers)
          all.push_back({everything_on_base, {{tensor, stored, nodes}}, &loss.read[unit][form]});
      }
    }
    for (size_t u = 0; u < units_.size(); ++u)
      for (const Processor* p : processors_) {
        if (p == base_ || !runs(*p, units_[u])) continue;
        const auto twin = same_work(u, p);
        double* answer = &losses.units[u].on[std::string(p->name())];
        if (twin) {
          twins_.emplace_back(answer, &losses.units[u].on[std::string(twin->name())]);
          continue;
        }
        Question question{everything_on_base, {}, answer};
        for (int node : units_[u].nodes) question.placement[size_t(node)] = p;
        all.push_back(std::move(question));
      }
    return all;
  }

  // From a unit's whole loss to its own part.
  void take_tensors_off(Losses& losses) const {
    for (size_t u = 0; u < units_.size(); ++u)
      for (auto& [name, loss] : losses.units[u].on) {
        const Processor* p = nullptr;
        for (const Processor* candidate : processors_)
          if (candidate->name() == name) p = candidate;
        double parts = 0;
        for (TensorId tensor : tensors_out_of(graph_, units_[u]))
          if (const auto form = p->writes(graph_, calib_, graph_.producer(tensor)))
            parts += part(losses, tensor, {}, form_of(form->type));
        for (TensorId tensor : tensors_into(graph_, units_[u])) {
          Form coarsest = base_form(tensor);
          for (int node : units_[u].nodes) {
            const auto& inputs = graph_.nodes[size_t(node)].inputs;
            for (size_t i = 0; i < inputs.size(); ++i)
              if (inputs[i] == tensor)
                if (const auto form = p->reads(graph_, calib_, node, int(i)))
                  if (coarseness(form_of(form->type)) > coarseness(coarsest)) coarsest = form_of(form->type);
          }
          parts += part(losses, tensor, units_[u].name, coarsest);
        }
        loss = std::max(0., loss - parts);
      }
  }

  // The processors whose uniform network is worth asking: those that run everything, and differ from another
  // somewhere.
  std::vector<const Processor*> uniform() const {
    std::vector<const Processor*> result;
    for (const Processor* p : processors_) {
      bool all = p != base_, different = false;
      for (size_t u = 0; all && u < units_.size(); ++u) {
        all = runs(*p, units_[u]);
        different = different || !same_work(u, p);
      }
      if (all && different) result.push_back(p);
    }
    return result;
  }

  // Everything on `p`, but unit `u` on the base.
  std::vector<const Processor*> all_but(const Processor* p, size_t u) const {
    auto placement = everywhere(graph_, p);
    for (int node : units_[u].nodes) placement[size_t(node)] = base_;
    return placement;
  }

  // `whole`: msef of everything on `p`; `without`: by unit, with that one on the base. Own parts become the
  // mean of both ends; parts of tensors keep their proportions.
  void meet_other_end(Losses& losses, const Processor* p, double whole, std::span<const double> without) {
    double ends = 0;
    for (size_t u = 0; u < units_.size(); ++u) {
      double& own = losses.units[u].on.at(std::string(p->name()));
      const double here = whole - without[u] - read_by_nobody(losses, u, p);
      ends += here;
      own = std::max(0., (own + here) / 2);
    }
    double tensors = 0;
    const auto parts = stored_by(losses, p);
    for (const double* value : parts) tensors += *value;
    if (tensors <= 0) return;
    // Two processors may share a form: the first one's factor holds.
    const double factor = (1 + std::max(0., whole - ends) / tensors) / 2;
    for (double* value : parts)
      if (scaled_.insert(value).second) *value *= factor;
  }

  void copy_twins() const {
    for (const auto& [to, from] : twins_) *to = *from;
  }

  size_t units() const { return units_.size(); }

 private:
  // The parts of the unit's tensors that go back to float with it, as no other unit on `p` reads them.
  double read_by_nobody(const Losses& losses, size_t u, const Processor* p) const {
    double parts = 0;
    for (TensorId tensor : tensors_out_of(graph_, units_[u])) {
      const auto form = p->writes(graph_, calib_, graph_.producer(tensor));
      if (form && crossing_of(tensor).readers.empty()) parts += part(losses, tensor, {}, form_of(form->type));
    }
    return parts;
  }

  // The parts of the forms that `p` stores tensors in.
  std::vector<double*> stored_by(Losses& losses, const Processor* p) const {
    std::vector<double*> parts;
    for (TensorLoss& loss : losses.tensors) {
      const auto same_name = [&](const Tensor& tensor) { return tensor.name == loss.tensor; };
      const auto id = TensorId(std::ranges::find_if(graph_.tensors, same_name) - graph_.tensors.begin());
      if (graph_.producer(id) == kNone) continue;
      const auto form = p->writes(graph_, calib_, graph_.producer(id));
      if (!form) continue;
      const auto found = loss.stored.find(form_of(form->type));
      if (found != loss.stored.end()) parts.push_back(&found->second);
    }
    return parts;
  }

  bool crosses(TensorId tensor) const {
    const int writer = graph_.producer(tensor);
    if (writer == kNone) return tensor == graph_.inputs[0];
    if (graph_.is_output(tensor)) return true;
    for (int reader : graph_.consumers(tensor))
      if (unit_of_[size_t(reader)] != unit_of_[size_t(writer)]) return true;
    return false;
  }

  bool runs(const Processor& processor, const Unit& unit) const {
    for (int index : unit.nodes) {
      const Node& node = graph_.nodes[size_t(index)];
      if (!processor.supports(graph_, node).empty() || !processor.writes(graph_, calib_, index)) return false;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (!processor.reads(graph_, calib_, index, int(i))) return false;
    }
    return true;
  }

  Form base_form(TensorId tensor) const {
    const int writer = graph_.producer(tensor);
    if (writer == kNone) return Form::f32;
    const auto form = base_->writes(graph_, calib_, writer);
    return form ? form_of(form->type) : Form::f32;
  }

  Crossing crossing_of(TensorId tensor) const {
    Crossing crossing{tensor, {}, {}};
    if (const int writer = graph_.producer(tensor); writer != kNone)
      for (const Processor* p : processors_)
        if (runs(*p, units_[size_t(unit_of_[size_t(writer)])]))
          if (const auto form = p->writes(graph_, calib_, writer))
            crossing.forms.emplace(form_of(form->type), *form);
    for (int reader : graph_.consumers(tensor)) {
      const Unit& unit = units_[size_t(unit_of_[size_t(reader)])];
      const int writer = graph_.producer(tensor);
      if (writer != kNone && unit_of_[size_t(writer)] == unit_of_[size_t(reader)]) continue;
      crossing.readers[unit.name].push_back(reader);
      const auto& inputs = graph_.nodes[size_t(reader)].inputs;
      for (const Processor* p : processors_)
        for (size_t i = 0; i < inputs.size(); ++i)
          if (inputs[i] == tensor && runs(*p, unit))
            if (const auto form = p->reads(graph_, calib_, reader, int(i)))
              crossing.forms.emplace(form_of(form->type), *form);
    }
    return crossing;
  }

  // An earlier processor that stores and reads everything in the unit alike, as bytes: its arithmetic is the
  // same.
  const Processor* same_work(size_t u, const Processor* p) const {
    for (const Processor* other : processors_) {
      if (other == p) return nullptr;
      if (other == base_ || !runs(*other, units_[u])) continue;
      bool same = true;
      for (int node : units_[u].nodes) {
        const auto mine = p->writes(graph_, calib_, node), theirs = other->writes(graph_, calib_, node);
        same = same && mine && theirs && *mine == *theirs && mine->type == DType::u8;
        const size_t slots = graph_.nodes[size_t(node)].inputs.size();
        for (size_t i = 0; same && i < slots; ++i) {
          const auto a = p->reads(graph_, calib_, node, int(i)),
                     b = other->reads(graph_, calib_, node, int(i));
          same = a && b && *a == *b;
        }
      }
      if (same) return other;
    }
    return nullptr;
  }

  double part(const Losses& losses, TensorId tensor, const std::string& reader, Form form) const {
    for (const TensorLoss& loss : losses.tensors) {
      if (loss.tensor != graph_.tensors[size_t(tensor)].name) continue;
      if (const auto read = loss.read.find(reader); read != loss.read.end())
        if (const auto found = read->second.find(form); found != read->second.end()) return found->second;
      const auto found = loss.stored.find(form);
      return found == loss.stored.end() ? 0 : found->second;
    }
    return 0;
  }

  const Graph& graph_;
  const Calib* calib_;
  const Processor* base_;
  std::span<const Processor* const> processors_;
  std::vector<Unit> units_;
  std::vector<int> unit_of_;
  std::vector<std::pair<double*, const double*>> twins_;
  std::set<const double*> scaled_;
};

}  // namespace

Result<Losses> measure_losses(const Graph& graph, const Calib* calib, const Processor* base,
                              std::span<const Processor* const> processors, std::span<const Map> crops,
                              const SensitivityOptions& options, ThreadPool& threads,
                              const std::function<void(double)>& progress) {
  if (crops.empty()) return bad_input("there are no pictures to measure losses on", "give 8 to 20 of them");
  Pass pass(graph, calib, base, processors);
  Losses losses = pass.prepare();
  const std::vector<Question> questions = pass.questions(losses);
  losses.pictures = digest_of_pictures(crops);
  losses.crops = int(crops.size());
  const double total = double(crops.size()) * double(std::max<size_t>(1, questions.size()));
  double done = 0;
  for (const Map& crop : crops) {
    auto stepper = Stepper::create(graph, calib, base, crop, threads, options.max);
    if (!stepper) return stepper.error();
    for (const Question& question : questions) {
      const auto out = stepper->output(question.placement, question.detours);
      if (!out) return out.error();
      const double distance = msef(*out, stepper->base_output(), options.picture);
      if (!std::isfinite(distance))
        return bad_input("the network's output is not finite on a calibration picture");
      *question.answer += distance / double(crops.size());
      if (progress) progress(++done / total);
    }
  }
  pass.take_tensors_off(losses);
  for (const Processor* p : pass.uniform()) {
    double whole = 0;
    std::vector<double> without(pass.units());
    for (const Map& crop : crops) {
      const auto truth = Stepper::create(graph, calib, base, crop, threads, options.max);
      if (!truth) return truth.error();
      auto stepper = Stepper::create(graph, calib, p, crop, threads, options.max);
      if (!stepper) return stepper.error();
      whole += msef(stepper->base_output(), truth->base_output(), options.picture) / double(crops.size());
      for (size_t u = 0; u < without.size(); ++u) {
        const auto out = stepper->output(pass.all_but(p, u));
        if (!out) return out.error();
        without[u] += msef(*out, truth->base_output(), options.picture) / double(crops.size());
      }
    }
    pass.meet_other_end(losses, p, whole, without);
  }
  pass.copy_twins();
  return losses;
}

}  // namespace fye
