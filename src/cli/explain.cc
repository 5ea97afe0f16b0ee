// fye explain MODEL
#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/verb.h"
#include "execute/macs.h"
#include "execute/plain.h"
#include "graph/region.h"
#include "graph/units.h"
#include "plan/plan.h"

namespace fye {
namespace {

struct Options {
  ModelOptions model;
  std::string plan, numbers = "f32", size = "640x360";
  bool json = false;
};

Result<Plan> plan_of(const Options& options, const Model& model) {
  if (!options.plan.empty()) return read_plan(options.plan, model.graph.sha256);
  const auto numbers = parse_numbers("--numbers", options.numbers);
  if (!numbers) return numbers.error();
  return uniform_plan(model.graph, fmt::format("cpu.{}", name(*numbers)));
}

Status explain(const Options& options) {
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  const auto model = load_model(options.model, 0);
  if (!model) return model.error();
  const Graph& graph = model->graph;
  const auto plan = plan_of(options, *model);
  if (!plan) return plan.error();
  const auto placement = placement_of(*plan, graph, active_isa());
  if (!placement) return placement.error();
  const int enlarged = model->conventions.bicubic_first ? model->conventions.scale : 1;
  const ExecuteOptions execute{.height = size->height * enlarged,
                               .width = size->width * enlarged,
                               .band = kUsualBand,
                               .band_bytes = kUsualBandBytes};
  const auto executor =
      Executor::prepare(graph, model->calib ? &*model->calib : nullptr, *placement, execute);
  if (!executor) return executor.error();
  const auto macs = macs_of(graph, execute.height, execute.width);
  if (!macs) return macs.error();

  const std::vector<Unit> units = units_of(graph);
  Json rows = Json::array();
  for (const Unit& unit : units) {
    std::string nodes;
    for (int node : unit.nodes) nodes += (nodes.empty() ? "" : " ") + std::string(op_name(graph.nodes[node]));
    std::string reason;
    for (const PlanStep& step : plan->steps) {
      if (std::find(step.units.begin(), step.units.end(), unit.name) != step.units.end())
        reason = step.reason;
    }
    rows.push_back({{"unit", unit.name},
                    {"processor", (*placement)[unit.nodes[0]]->name()},
                    {"nodes", nodes},
                    {"reason", reason}});
  }
  const Json json = {
      {"model", model->name}, {"model_sha256", graph.sha256}, {"isa", name(active_isa())},
      {"width", size->width}, {"height", size->height},       {"scale", model->conventions.scale},
      {"macs", *macs},        {"halo", halo(graph)},          {"arena_bytes", executor->arena_bytes()},
      {"units", rows},        {"steps", executor->explain()}};
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print(
      "{}: x{}, {} units, {:.2f} GMAC and {:.1f} MB of planned memory for {}x{}, halo {} pixels, on {}\n\n",
      model->name, model->conventions.scale, units.size(), static_cast<double>(*macs) / 1e9,
      static_cast<double>(executor->arena_bytes()) / 1e6, size->width, size->height, halo(graph),
      name(active_isa()));
  for (const Json& row : rows) {
    const std::string reason = row["reason"].get<std::string>();
    fmt::print("{:<24} {:<10} {}{}\n", row["unit"].get<std::string>(), row["processor"].get<std::string>(),
               row["nodes"].get<std::string>(), reason.empty() ? "" : "  because: " + reason);
  }
  fmt::print("\n");
  for (const std::string& line : executor->explain()) fmt::print("{}\n", line);
  return {};
}

}  // namespace

Run add_explain(CLI::App& app) {
  auto options = std::make_shared<Options>();
  Options& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--plan", o.plan, "plan.json instead of --numbers");
  app.add_option("--numbers", o.numbers, "f32, bf16 or int8 for every unit")->capture_default_str();
  app.add_option("--size", o.size, "the picture's size, which decides about memory and kernels")
      ->capture_default_str();
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Prints the units that a plan may place, the processor of each, and the kernel that runs each node.

Examples:
  fye explain abpn_x3 --numbers int8
  fye explain net.onnx --plan plan.json --size 1920x1080)");
  return [options] { return explain(*options); };
}

}  // namespace fye
