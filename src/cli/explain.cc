// fye explain MODEL
#include "plan/explain.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "base/json.h"
#include "cli/exit_codes.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/verb.h"
#include "execute/macs.h"
#include "execute/plain.h"
#include "graph/region.h"
#include "graph/units.h"
#include "plan/book.h"
#include "plan/plan.h"

namespace fye {
namespace {

// Fits a terminal of 80 x 24.
constexpr int kPlotColumns = 64, kPlotRows = 16;

struct ExplainFlags {
  ModelOptions model;
  std::string plan, numbers = "f32", size = "640x360", profile, losses, book;
  bool json = false;
};

Result<Plan> plan_of(const ExplainFlags& options, const Model& model) {
  if (!options.plan.empty()) return read_plan(options.plan, model.graph.sha256);
  const auto numbers = parse_numbers("--numbers", options.numbers);
  if (!numbers) return numbers.error();
  return uniform_plan(model.graph, fmt::format("cpu.{}", name(*numbers)));
}

// What measurements say about the plan: nothing without a profile.
struct Measured {
  PlanProblem problem;
  Assignment assignment;
  std::vector<UnitRow> rows;
};

Result<std::optional<Measured>> measured(const ExplainFlags& options, const Model& model, const Plan& plan) {
  if (options.profile.empty()) return std::optional<Measured>();
  const auto profile = read_profile(options.profile, model.graph.sha256);
  if (!profile) return profile.error();
  const auto file = model_path(options.model, 0);
  if (!file) return file.error();
  const auto losses = losses_for(options.losses, *file, model.graph.sha256);
  if (!losses) return losses.error();
  const std::vector<const Processor*> here = processors_of(*profile);
  auto problem = plan_problem(model.graph, model.calib ? &*model.calib : nullptr, here, *profile,
                              *losses ? &**losses : nullptr);
  if (!problem) return problem.error();
  auto assignment = assignment_of(*problem, plan);
  if (!assignment) return assignment.error();
  std::vector<UnitRow> rows = explain_units(*problem, *assignment);
  return std::optional<Measured>({*std::move(problem), *std::move(assignment), std::move(rows)});
}

std::string move_text(const PlanProblem& problem, const Move& move) {
  return fmt::format("{} to {}: {:+.3f} ms, {:+.4f} grey levels^2", problem.units[size_t(move.unit)].name,
                     problem.processors[size_t(move.processor)], move.ms, move.loss);
}

void print_measured(const Measured& m) {
  fmt::print("predicted: {:.2f} ms, msef {:.4f}, {} switches\n\n", predicted_ms(m.problem, m.assignment),
             predicted_loss(m.problem, m.assignment), switches(m.assignment));
  for (const UnitRow& row : m.rows) {
    fmt::print("{:<24} {:<12} {}\n", row.unit, m.problem.processors[size_t(row.processor)],
               reason_of(m.problem, row));
    for (const UnitRow::HandOver& hand : row.hand_overs)
      fmt::print("{:<24}   {} {} -> {}: {:.3f} ms\n", "", hand.tensor, name(hand.from), name(hand.to),
                 hand.ms);
  }
  if (const auto move = best_buy(m.rows))
    fmt::print("\nthe next ms would best buy: {}\n", move_text(m.problem, *move));
  if (const auto move = best_sale(m.rows))
    fmt::print("the next loss would best save: {}\n", move_text(m.problem, *move));
}

Json json_of(const Measured& m) {
  Json units = Json::array();
  for (const UnitRow& row : m.rows) {
    Json on = Json::object(), hands = Json::array(), moves = Json::array();
    for (size_t p = 0; p < m.problem.processors.size(); ++p)
      if (std::isfinite(row.ms[p])) on[m.problem.processors[p]] = {{"ms", row.ms[p]}, {"msef", row.loss[p]}};
    for (const UnitRow::HandOver& hand : row.hand_overs)
      hands.push_back(
          {{"tensor", hand.tensor}, {"from", name(hand.from)}, {"to", name(hand.to)}, {"ms", hand.ms}});
    for (const Move& move : row.moves)
      moves.push_back(
          {{"to", m.problem.processors[size_t(move.processor)]}, {"ms", move.ms}, {"msef", move.loss}});
    units.push_back({{"unit", row.unit},
                     {"processor", m.problem.processors[size_t(row.processor)]},
                     {"on", on},
                     {"hand_overs", hands},
                     {"moves", moves}});
  }
  return units;
}

// The entry of the book that the plan is, or kNone.
int entry_of(const Book& book, const Plan& plan) {
  for (size_t e = 0; e < book.entries.size(); ++e) {
    const Plan other = plan_of(book, book.entries[e]);
    std::map<std::string, std::string> a, b;
    for (const PlanStep& step : plan.steps)
      for (const std::string& unit : step.units) a[unit] = placement_text(step);
    for (const PlanStep& step : other.steps)
      for (const std::string& unit : step.units) b[unit] = placement_text(step);
    if (a == b) return int(e);
  }
  return kNone;
}

Status explain(const ExplainFlags& options) {
  if (const auto about = explained_exit_code(options.model.positional)) {
    fmt::print("{}", *about);
    return {};
  }
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
                               .band_bytes = kUsualBandBytes,
                               .whole_if_smaller = true};
  const auto executor =
      Executor::prepare(graph, model->calib ? &*model->calib : nullptr, *placement, execute);
  if (!executor) return executor.error();
  const auto macs = macs_of(graph, execute.height, execute.width);
  if (!macs) return macs.error();

  const auto told = measured(options, *model, *plan);
  if (!told) return told.error();
  std::optional<Book> book;
  if (!options.book.empty()) {
    auto read = read_book(options.book, graph.sha256);
    if (!read) return read.error();
    book = *std::move(read);
  }

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
  Json json = {
      {"model", model->name}, {"model_sha256", graph.sha256}, {"isa", name(active_isa())},
      {"width", size->width}, {"height", size->height},       {"scale", model->conventions.scale},
      {"macs", *macs},        {"halo", halo(graph)},          {"arena_bytes", executor->arena_bytes()},
      {"units", rows},        {"steps", executor->explain()}};
  if (*told) {
    json["predicted_ms"] = predicted_ms((*told)->problem, (*told)->assignment);
    json["predicted_msef"] = predicted_loss((*told)->problem, (*told)->assignment);
    json["measured_units"] = json_of(**told);
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print(
      "{}: x{}, {} units, {:.2f} GMAC and {:.1f} MB of planned memory for {}x{}, halo {} pixels, on {}\n\n",
      model->name, model->conventions.scale, units.size(), static_cast<double>(*macs) / 1e9,
      static_cast<double>(executor->arena_bytes()) / 1e6, size->width, size->height, halo(graph),
      name(active_isa()));
  if (*told)
    print_measured(**told);
  else
    for (const Json& row : rows) {
      const std::string reason = row["reason"].get<std::string>();
      fmt::print("{:<24} {:<10} {}{}\n", row["unit"].get<std::string>(), row["processor"].get<std::string>(),
                 row["nodes"].get<std::string>(), reason.empty() ? "" : "  because: " + reason);
    }
  if (book) fmt::print("\n{}", pareto_plot(*book, entry_of(*book, *plan), kPlotColumns, kPlotRows));
  fmt::print("\n");
  for (const std::string& line : executor->explain()) fmt::print("{}\n", line);
  return {};
}

}  // namespace

Run add_explain(CLI::App& app) {
  auto options = std::make_shared<ExplainFlags>();
  ExplainFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--plan", o.plan, "plan.json instead of --numbers");
  app.add_option("--numbers", o.numbers, "f32, bf16, int8 or int8r16 for every unit")->capture_default_str();
  app.add_option("--profile", o.profile,
                 "profile.json: also what each unit takes, and what another place would buy");
  app.add_option("--losses", o.losses, "losses.json; NAME.losses.json beside the model by default");
  app.add_option("--book", o.book, "book.json: also all plans as a picture, this one marked");
  app.add_option("--size", o.size, "the picture's size, which decides about memory and kernels")
      ->capture_default_str();
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Prints the units that a plan may place, the processor of each, and the kernel that runs each node; of an exit code instead
of a network, what it means.

Examples:
  fye explain abpn_x3 --numbers int8
  fye explain 4
  fye explain net.onnx --plan plan.json --size 1920x1080
  fye explain abpn_x3 --plan plan.json --profile profile.json --book book.json)");
  return [options] { return explain(*options); };
}

}  // namespace fye
