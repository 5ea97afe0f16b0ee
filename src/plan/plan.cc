#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fye {
namespace {

constexpr const char* kHint =
    "every unit of the network must be in exactly one step (docs/formats.md, plan.json)";

std::string list_of(const std::vector<std::string>& names) {
  constexpr size_t kMost = 12;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i ? ", " : "") + names[i];
  return names.size() > kMost ? fmt::format("{} and {} more", text, names.size() - kMost) : text;
}

}  // namespace

std::string difference(const MachineId& measured_on, const MachineId& here) {
  std::string text;
  const auto add = [&](const char* what, const std::string& then, const std::string& now) {
    if (then != now) text += fmt::format("{}{} ({}, not {})", text.empty() ? "" : ", ", what, then, now);
  };
  add("another CPU", measured_on.cpu, here.cpu);
  add("another instruction set", measured_on.isa, here.isa);
  add("another build", measured_on.build, here.build);
  add("another number of threads", std::to_string(measured_on.threads), std::to_string(here.threads));
  return text;
}

std::string placement_text(const PlanStep& step) {
  if (!step.sharing) return step.processor;
  const Sharing& sharing = *step.sharing;
  std::string text =
      sharing.by == Sharing::By::rows ? "rows: "
      : sharing.by == Sharing::By::channels
          ? "channels: "
          : fmt::format("patches of {} with {} around: ", sharing.patches.size, sharing.patches.halo);
  for (size_t s = 0; s < sharing.shares.size(); ++s) {
    const Sharing::Share& share = sharing.shares[s];
    text += fmt::format("{}{} {}", s ? ", " : "", share.processor, share.part);
    if (share.above) text += fmt::format(" (above {})", *share.above);
  }
  return text;
}

Plan uniform_plan(const Graph& graph, std::string_view processor) {
  Plan plan{.graph_sha256 = graph.sha256,
            .steps = {{.units = {}, .processor = std::string(processor), .reason = {}}}};
  for (const Unit& unit : units_of(graph)) plan.steps[0].units.push_back(unit.name);
  return plan;
}

namespace {

// The step of each node. Errors: another graph; a unit missing, named twice or unknown.
Result<std::vector<int>> step_of_nodes(const Plan& plan, const Graph& graph) {
  if (!plan.graph_sha256.empty() && !graph.sha256.empty() && plan.graph_sha256 != graph.sha256)
    return bad_input(fmt::format("the plan is for another model file (sha256 {}, not {})", plan.graph_sha256,
                                 graph.sha256),
                     "make a plan for this model");
  const std::vector<Unit> units = units_of(graph);
  std::map<std::string_view, const Unit*> by_name;
  std::vector<std::string> names;
  for (const Unit& unit : units) {
    names.push_back(unit.name);
    if (!by_name.emplace(unit.name, &unit).second)
      return bad_input(fmt::format("two units of the network are called \"{}\"", unit.name),
                       "give its nodes names of their own");
  }
  std::vector<int> step_of_node(graph.nodes.size(), kNone);
  std::map<std::string_view, size_t> step_of;
  for (size_t s = 0; s < plan.steps.size(); ++s)
    for (const std::string& name : plan.steps[s].units) {
      const auto found = by_name.find(name);
      if (found == by_name.end())
        return bad_input(fmt::format("plan, step {}: the network has no unit \"{}\"", s + 1, name),
                         fmt::format("its units are: {}", list_of(names)));
      if (const auto [earlier, fresh] = step_of.emplace(found->first, s); !fresh)
        return bad_input(
            fmt::format("plan, step {}: unit \"{}\" is in step {} already", s + 1, name, earlier->second + 1),
            kHint);
      for (const int index : found->second->nodes) step_of_node[size_t(index)] = int(s);
    }
  std::vector<std::string> missing;
  for (const Unit& unit : units)
    if (!step_of.contains(unit.name)) missing.push_back(unit.name);
  if (!missing.empty())
    return bad_input(fmt::format("the plan does not say where these units run: {}", list_of(missing)), kHint);
  return step_of_node;
}

Result<const Processor*> processor_of(size_t step, const std::string& name, Isa max) {
  auto processor = find_processor(name, max);
  if (!processor)
    return Error{processor.error().code, fmt::format("plan, step {}: {}", step + 1, processor.error().what),
                 processor.error().hint};
  return processor;
}

// That `processor` can run the nodes of a step.
Status check_support(size_t step, const Processor& processor, const Graph& graph,
                     const std::vector<int>& step_of_node) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (step_of_node[n] != int(step)) continue;
    if (const std::string why = processor.supports(graph, graph.nodes[n]); !why.empty())
      return bad_input(fmt::format("plan, step {}: {} can't run node \"{}\": {}", step + 1, processor.name(),
                                   graph.nodes[n].name, why),
                       "place this unit on cpu.f32");
  }
  return {};
}

}  // namespace

Result<std::vector<const Processor*>> placement_of(const Plan& plan, const Graph& graph, Isa max) {
  if (is_shared(plan))
    return bad_input("the plan has processors work side by side, which goes over whole pictures only",
                     "fye up --plan runs it; here give a plan with one processor a unit, on all threads");
  const auto step_of_node = step_of_nodes(plan, graph);
  if (!step_of_node) return step_of_node.error();
  std::vector<const Processor*> by_step;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto processor = processor_of(s, plan.steps[s].processor, max);
    if (!processor) return processor.error();
    if (auto status = check_support(s, **processor, graph, *step_of_node); !status) return status.error();
    by_step.push_back(*processor);
  }
  std::vector<const Processor*> placement;
  for (const int step : *step_of_node) placement.push_back(by_step[size_t(step)]);
  return placement;
}

bool is_shared(const Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const PlanStep& step) {
    return step.sharing || step.processor.find("@core") != std::string::npos;
  });
}

Result<SharedWork> work_of(const Plan& plan, const Graph& graph, Isa max) {
  auto step_of_node = step_of_nodes(plan, graph);
  if (!step_of_node) return step_of_node.error();
  SharedWork work;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    const std::vector<Sharing::Share> alone = {{step.processor, 1}};
    const bool patches = step.sharing && step.sharing->by == Sharing::By::patches;
    if (patches && plan.steps.size() > 1)
      return bad_input(fmt::format("plan, step {}: patches go through the whole network", s + 1),
                       "put all units into this step");
    Stage stage;
    if (step.sharing) stage.cut = step.sharing->by == Sharing::By::rows ? Cut::rows : Cut::channels;
    for (const Sharing::Share& share : step.sharing ? step.sharing->shares : alone) {
      const auto processor = processor_of(s, share.processor, max);
      if (!processor) return processor.error();
      if (auto status = check_support(s, **processor, graph, *step_of_node); !status) return status.error();
      if (patches)
        work.patches.push_back({*processor, share.part, share.above});
      else
        stage.shares.push_back({*processor, share.part});
    }
    if (patches) {
      work.rule = step.sharing->patches;
      return work;
    }
    work.stages.push_back(std::move(stage));
  }
  work.stage_of = *std::move(step_of_node);
  return work;
}

}  // namespace fye
