#include "plan/plan.h"

#include <fmt/format.h>

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

Plan uniform_plan(const Graph& graph, std::string_view processor) {
  Plan plan{.graph_sha256 = graph.sha256,
            .steps = {{.units = {}, .processor = std::string(processor), .reason = {}}}};
  for (const Unit& unit : units_of(graph)) plan.steps[0].units.push_back(unit.name);
  return plan;
}

Result<std::vector<const Processor*>> placement_of(const Plan& plan, const Graph& graph, Isa max) {
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

  std::vector<const Processor*> placement(graph.nodes.size(), nullptr);
  std::map<std::string_view, size_t> step_of;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    auto processor = find_processor(step.processor, max);
    if (!processor)
      return Error{processor.error().code, fmt::format("plan, step {}: {}", s + 1, processor.error().what),
                   processor.error().hint};
    for (const std::string& name : step.units) {
      const auto found = by_name.find(name);
      if (found == by_name.end())
        return bad_input(fmt::format("plan, step {}: the network has no unit \"{}\"", s + 1, name),
                         fmt::format("its units are: {}", list_of(names)));
      if (const auto [earlier, fresh] = step_of.emplace(found->first, s); !fresh)
        return bad_input(
            fmt::format("plan, step {}: unit \"{}\" is in step {} already", s + 1, name, earlier->second + 1),
            kHint);
      for (const int index : found->second->nodes) {
        const Node& node = graph.nodes[size_t(index)];
        if (const std::string why = (*processor)->supports(graph, node); !why.empty())
          return bad_input(fmt::format("plan, step {}: {} can't run node \"{}\" of unit \"{}\": {}", s + 1,
                                       (*processor)->name(), node.name, name, why),
                           "place this unit on cpu.f32");
        placement[size_t(index)] = *processor;
      }
    }
  }
  std::vector<std::string> missing;
  for (const Unit& unit : units)
    if (!step_of.contains(unit.name)) missing.push_back(unit.name);
  if (!missing.empty())
    return bad_input(fmt::format("the plan does not say where these units run: {}", list_of(missing)), kHint);
  return placement;
}

}  // namespace fye
