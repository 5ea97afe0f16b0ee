// Tested by report/report_test.cc.
#include "report/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "execute/macs.h"
#include "graph/units.h"
#include "plan/explain.h"
#include "profile/interval.h"
#include "runtime/measurements.h"

namespace fye {
namespace {

// The most frames whose times are drawn one by one; of more, the slowest of each stretch.
constexpr size_t kMostFrames = 400;
// Of a pixel's worth on a screen: more figures are noise.
constexpr int kTimeFigures = 4, kSpreadFigures = 2, kLossFigures = 3;

std::string ops_of(const Graph& graph, const Unit& unit) {
  std::string text;
  for (const int node : unit.nodes) {
    const std::string op(op_name(graph.nodes[size_t(node)]));
    if (text == op || text.ends_with(" " + op)) continue;
    text += (text.empty() ? "" : " ") + op;
  }
  return text;
}

// null for a column of which nothing is known.
Json or_null(Json column) {
  for (const Json& value : column)
    if (!value.is_null()) return column;
  return nullptr;
}

const UnitLoss* loss_of(const Losses& losses, const std::string& unit) {
  for (const UnitLoss& loss : losses.units)
    if (loss.unit == unit) return &loss;
  return nullptr;
}

// The frame of the median time among those that ran by the plan; the lower one of an even number. None: null.
const FrameTrace* median_frame(const ReportRun& run) {
  std::vector<const FrameTrace*> of_plan;
  for (const FrameTrace& frame : run.frames)
    if (frame.entry == run.entry) of_plan.push_back(&frame);
  if (of_plan.empty()) return nullptr;
  std::sort(of_plan.begin(), of_plan.end(),
            [](const FrameTrace* a, const FrameTrace* b) { return a->ms < b->ms; });
  return of_plan[(of_plan.size() - 1) / 2];
}

Json frame_times(const std::vector<FrameTrace>& frames) {
  Json times = Json::array();
  const size_t stride = (frames.size() + kMostFrames - 1) / kMostFrames;
  for (size_t from = 0; from < frames.size(); from += stride) {
    double slowest = 0;
    for (size_t i = from; i < std::min(frames.size(), from + stride); ++i)
      slowest = std::max(slowest, frames[i].ms);
    times.push_back(figures(slowest, kTimeFigures));
  }
  return times;
}

Json machine_json(const MachineId& machine) {
  return {{"cpu", machine.cpu}, {"isa", machine.isa}, {"build", machine.build}, {"threads", machine.threads}};
}

// Times, by unit of the network and by the account's other rows.
void add_times(const ReportRun& run, const std::vector<Unit>& units, Json& json) {
  const FrameTrace* frame = median_frame(run);
  if (!frame) return;
  std::vector<double> of_plan;
  int late = 0;
  for (const FrameTrace& f : run.frames) {
    if (f.entry == run.entry) of_plan.push_back(f.ms);
    late += f.late;
  }
  const Timing timing = interval_of(of_plan);
  Json unit_ms = Json::array(), hand_overs = Json::array();
  for (const Unit& unit : units) {
    const auto found = frame->units.find(unit.name);
    unit_ms.push_back(found == frame->units.end() ? Json() : figures(found->second, kTimeFigures));
  }
  for (const auto& [tensor, ms] : frame->hand_overs)
    hand_overs.push_back({{"tensor", tensor}, {"ms", figures(ms, kTimeFigures)}});
  json["measured"] = run.measured;
  json["time"] = {{"ms", figures(frame->ms, kTimeFigures)},
                  {"spread", figures(timing.half_width, kSpreadFigures)},
                  {"n", of_plan.size()},
                  {"least", figures(*std::min_element(of_plan.begin(), of_plan.end()), kTimeFigures)},
                  {"most", figures(*std::max_element(of_plan.begin(), of_plan.end()), kTimeFigures)},
                  {"units", std::move(unit_ms)},
                  {"hand_overs", std::move(hand_overs)},
                  {"moving", figures(frame->moving, kTimeFigures)},
                  {"around", figures(frame->around, kTimeFigures)},
                  {"waiting", figures(frame->waiting, kTimeFigures)},
                  {"rest", figures(frame->rest, kTimeFigures)},
                  {"frames", run.frames.size()},
                  {"late", late},
                  {"each", frame_times(run.frames)}};
  if (run.deadline_ms > 0) json["deadline_ms"] = run.deadline_ms;
  if (run.machine) json["machine"] = machine_json(*run.machine);
  if (const auto date = run.conditions.find("date"); date != run.conditions.end()) json["date"] = date->second;
  if (const auto load = run.conditions.find("load"); load != run.conditions.end()) json["load"] = load->second;
  if (run.width > 0) json["size"] = fmt::format("{}x{}", run.width, run.height);
}

// Predictions: times, losses, and what another place of each unit would change. Where they can't be had, `json` says why.
void add_predictions(const Report& report, const ReportRun& run, NameTable& processors, Json& json) {
  if (!report.profile) return;
  const Model& model = *report.model;
  const std::vector<const Processor*> here = processors_of(report.profile->value);
  const auto problem = plan_problem(model.graph, model.calib ? &*model.calib : nullptr, here, report.profile->value,
                                    report.losses ? &report.losses->value : nullptr);
  const auto assignment = problem ? assignment_of(*problem, run.plan) : Result<Assignment>(problem.error());
  if (!assignment) {
    json["unpredicted"] = assignment.error().what;
    return;
  }
  json["predicted_ms"] = figures(predicted_ms(*problem, *assignment), kTimeFigures);
  json["switches"] = switches(*assignment);
  if (report.losses) {
    json["predicted_msef"] = figures(predicted_loss(*problem, *assignment), kTimeFigures);
    Json losses = Json::array();
    for (const double loss : loss_by_unit(*problem, *assignment)) losses.push_back(figures(loss, kLossFigures));
    json["loss"] = std::move(losses);
  }
  Json to = Json::array(), ms = Json::array(), loss = Json::array();
  for (const UnitRow& row : explain_units(*problem, *assignment)) {
    // The move that buys most, else the one that saves most.
    const std::vector<UnitRow> alone = {row};
    auto move = best_buy(alone);
    if (!move) move = best_sale(alone);
    if (!move && !row.moves.empty()) move = row.moves.front();
    to.push_back(move ? Json(processors.index_of(problem->processors[size_t(move->processor)])) : Json());
    ms.push_back(move ? figures(move->ms, kLossFigures) : Json());
    loss.push_back(move ? figures(move->loss, kLossFigures) : Json());
  }
  json["moves"] = {{"to", std::move(to)}, {"ms", std::move(ms)}, {"loss", std::move(loss)}};
}

}  // namespace

int NameTable::index_of(const std::string& name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return int(found - names_.begin());
  names_.push_back(name);
  return int(names_.size()) - 1;
}

Json figures(double value, int count) {
  if (!std::isfinite(value)) return nullptr;
  if (value == std::floor(value) && std::fabs(value) < 1e15) return int64_t(value);
  const double rounded = std::stod(fmt::format("{:.{}g}", value, count));
  if (rounded == std::floor(rounded) && std::fabs(rounded) < 1e15) return int64_t(rounded);
  return rounded;
}

Result<Json> unit_columns(const Report& report, NameTable& processors) {
  const Model& model = *report.model;
  const int enlarged = model.conventions.bicubic_first ? model.conventions.scale : 1;
  const auto macs = macs_by_node(model.graph, report.height * enlarged, report.width * enlarged);
  if (!macs) return macs.error();
  if (report.profile)
    for (const std::string& name : report.profile->value.processors) processors.index_of(name);
  for (const ReportRun& run : report.runs)
    for (const PlanStep& step : run.plan.steps) processors.index_of(placement_text(step));
  if (report.losses)
    for (const UnitLoss& unit : report.losses->value.units)
      for (const auto& [name, part] : unit.on) processors.index_of(name);
  const std::vector<Unit> units = units_of(model.graph);
  Json columns = {{"name", Json::array()}, {"kinds", Json::array()}, {"ops", Json::array()}, {"macs", Json::array()}};
  NameTable kinds;
  for (const Unit& unit : units) {
    int64_t of_unit = 0;
    for (const int node : unit.nodes) of_unit += (*macs)[size_t(node)];
    columns["name"].push_back(unit.name);
    columns["ops"].push_back(kinds.index_of(ops_of(model.graph, unit)));
    columns["macs"].push_back(of_unit);
  }
  columns["kinds"] = kinds.names();
  for (const std::string& name : processors.names()) {
    Json ms = Json::array(), spread = Json::array(), losses = Json::array();
    for (const Unit& unit : units) {
      const UnitTimes* times = report.profile ? report.profile->value.unit(unit.name) : nullptr;
      const auto time = times ? times->on.find(name) : std::map<std::string, Timing>::const_iterator();
      const bool timed = times && time != times->on.end();
      ms.push_back(timed ? figures(time->second.ms, kTimeFigures) : Json());
      spread.push_back(timed ? figures(time->second.half_width, kSpreadFigures) : Json());
      const UnitLoss* loss = report.losses ? loss_of(report.losses->value, unit.name) : nullptr;
      const auto part = loss ? loss->on.find(name) : std::map<std::string, double>::const_iterator();
      // What float loses is 0 and absent (profile/losses.h).
      losses.push_back(loss && part != loss->on.end() ? figures(part->second, kLossFigures)
                       : loss && name == "cpu.f32"    ? Json(0)
                                                      : Json());
    }
    if (report.profile) columns["ms"].push_back(or_null(std::move(ms))), columns["spread"].push_back(or_null(std::move(spread)));
    if (report.losses) columns["loss"].push_back(or_null(std::move(losses)));
  }
  return columns;
}

std::vector<double> loss_by_unit(const PlanProblem& problem, const Assignment& plan) {
  std::vector<double> losses;
  for (size_t u = 0; u < problem.units.size(); ++u) losses.push_back(problem.units[u].loss[size_t(plan[u])]);
  for (const PlanProblem::Tensor& tensor : problem.tensors) {
    const bool host = tensor.producer == kNone;
    const Form written = host ? Form::host : tensor.form[size_t(plan[size_t(tensor.producer)])];
    losses[host ? 0 : size_t(tensor.producer)] += tensor.loss[size_t(written)];
    for (const PlanProblem::Reader& reader : tensor.readers) {
      const bool caller = reader.unit == kNone;
      const Form read = caller ? Form::host : reader.form[size_t(plan[size_t(reader.unit)])];
      losses[caller ? losses.size() - 1 : size_t(reader.unit)] += reader.loss[size_t(written)][size_t(read)];
    }
  }
  return losses;
}

Result<std::vector<std::string>> placed(const Plan& plan, const Graph& graph, const std::string& file) {
  std::map<std::string, std::string> where;
  for (const PlanStep& step : plan.steps)
    for (const std::string& unit : step.units)
      if (!where.emplace(unit, placement_text(step)).second)
        return bad_input(fmt::format("{}: unit \"{}\" is placed twice", file, unit));
  std::vector<std::string> on;
  for (const Unit& unit : units_of(graph)) {
    const auto found = where.find(unit.name);
    if (found == where.end())
      return bad_input(fmt::format("{}: does not say where unit \"{}\" of the network runs", file, unit.name),
                       "make it for this model");
    on.push_back(std::move(found->second));
    where.erase(found);
  }
  if (!where.empty())
    return bad_input(fmt::format("{}: the network has no unit \"{}\"", file, where.begin()->first),
                     "make it for this model");
  return on;
}

Result<Json> run_json(const Report& report, const ReportRun& run, NameTable& processors) {
  const Graph& graph = report.model->graph;
  const auto on = placed(run.plan, graph, run.chosen);
  if (!on) return on.error();
  Json json = {{"name", run.name}, {"chosen", run.chosen}, {"on", Json::array()}};
  for (const std::string& name : *on) json["on"].push_back(processors.index_of(name));
  add_times(run, units_of(graph), json);
  add_predictions(report, run, processors, json);
  return json;
}

}  // namespace fye
