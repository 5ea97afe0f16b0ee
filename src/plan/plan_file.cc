#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "plan/identity.h"
#include "plan/plan.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
// Placements that design.md, section 3, foresees and this version does not run.
constexpr const char* kLater[] = {"rows", "channels", "patches"};

Error wrong(const std::filesystem::path& path, const std::string& where, const std::string& what) {
  return bad_input(fmt::format("{}: {}: {}", path.string(), where, what),
                   "docs/formats.md describes plan.json");
}

// The field's value, or null.
const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

Result<PlanStep> read_step(const std::filesystem::path& path, const Json& json, const std::string& where,
                           std::set<std::string>& seen) {
  if (!json.is_object()) return wrong(path, where, "not an object");
  PlanStep step;
  const Json* units = find(json, "units");
  if (!units || !units->is_array() || units->empty())
    return wrong(path, where, "\"units\" must be a list of unit names");
  for (const Json& unit : *units) {
    if (!unit.is_string())
      return wrong(path, where, fmt::format("{} in \"units\" is not a name", unit.dump()));
    step.units.push_back(unit.get<std::string>());
    if (!seen.insert(step.units.back()).second)
      return wrong(path, where, fmt::format("unit \"{}\" is placed twice", step.units.back()));
  }
  const Json* placement = find(json, "placement");
  if (!placement) return wrong(path, where, "\"placement\" is missing");
  if (placement->is_object())
    for (const char* kind : kLater)
      if (placement->contains(kind))
        return wrong(path, where,
                     fmt::format("placement by {} is not supported yet; name one processor", kind));
  if (!placement->is_string() || placement->get_ref<const std::string&>().empty())
    return wrong(path, where, "\"placement\" must name a processor, for instance \"cpu.int8\"");
  step.processor = placement->get<std::string>();
  if (const Json* reason = find(json, "reason")) {
    if (!reason->is_string()) return wrong(path, where, "\"reason\" is not a text");
    step.reason = reason->get<std::string>();
  }
  if (const Json* reasons = find(json, "reasons")) {
    if (!reasons->is_object()) return wrong(path, where, "\"reasons\" is not an object");
    for (const auto& [unit, reason] : reasons->items()) {
      if (!reason.is_string())
        return wrong(path, where, fmt::format("the reason for unit \"{}\" is not a text", unit));
      if (std::find(step.units.begin(), step.units.end(), unit) == step.units.end())
        return wrong(path, where,
                     fmt::format("\"reasons\" names unit \"{}\", which is not in this step", unit));
      step.reasons[unit] = reason.get<std::string>();
    }
  }
  return step;
}

// Machine, size and prediction: all of them may be absent.
Status read_prediction(const std::filesystem::path& path, const Json& json, Plan& plan) {
  const FieldReader in(path, "", json, "plan.json");
  if (find(json, "machine")) {
    auto machine = read_machine(in);
    if (!machine) return machine.error();
    plan.machine = *std::move(machine);
  }
  for (const auto& [key, field] : {std::pair{"width", &plan.width}, std::pair{"height", &plan.height}}) {
    if (!find(json, key)) continue;
    const auto side = in.whole(key, 1, kMostSide);
    if (!side) return side.error();
    *field = *side;
  }
  for (const auto& [key, most, field] :
       {std::tuple{"predicted_ms", kMostMs, &plan.ms}, std::tuple{"predicted_msef", kMostMsef, &plan.msef}}) {
    if (!find(json, key)) continue;
    const auto value = in.number(key, 0, most);
    if (!value) return value.error();
    *field = *value;
  }
  return {};
}

}  // namespace

Result<Plan> read_plan(const std::filesystem::path& path, const std::string& graph_sha256) {
  auto json = read_json(path);
  if (!json) return json.error();
  if (!json->is_object()) return wrong(path, "the file", "not an object");
  const Json* version = find(*json, "version");
  if (!version) return wrong(path, "the file", "\"version\" is missing");
  if (*version != Json(kVersion))
    return wrong(path, "version", fmt::format("is {}; this fye reads version {}", version->dump(), kVersion));
  const Json* graph = find(*json, "graph");
  if (!graph || !graph->is_string())
    return wrong(path, "the file", "\"graph\" must be the model file's sha256");
  Plan plan;
  plan.graph_sha256 = graph->get<std::string>();
  if (!graph_sha256.empty() && plan.graph_sha256 != graph_sha256)
    return wrong(
        path, "graph",
        fmt::format("was made for another model file (sha256 {}, not {})", plan.graph_sha256, graph_sha256));
  if (auto status = read_prediction(path, *json, plan); !status) return status.error();
  const Json* steps = find(*json, "steps");
  if (!steps || !steps->is_array() || steps->empty())
    return wrong(path, "the file", "\"steps\" must be a list of steps");
  std::set<std::string> seen;
  for (const Json& entry : *steps) {
    auto step = read_step(path, entry, fmt::format("step {}", plan.steps.size() + 1), seen);
    if (!step) return step.error();
    plan.steps.push_back(*std::move(step));
  }
  return plan;
}

Status write_plan(const std::filesystem::path& path, const Plan& plan) {
  Json json;
  json["version"] = kVersion;
  json["graph"] = plan.graph_sha256;
  if (plan.machine) json["machine"] = json_of(*plan.machine);
  if (plan.width > 0) json["width"] = plan.width;
  if (plan.height > 0) json["height"] = plan.height;
  if (plan.ms) json["predicted_ms"] = *plan.ms;
  if (plan.msef) json["predicted_msef"] = *plan.msef;
  json["steps"] = Json::array();
  for (const PlanStep& step : plan.steps) {
    Json entry = {{"units", step.units}, {"placement", step.processor}};
    if (!step.reason.empty()) entry["reason"] = step.reason;
    if (!step.reasons.empty()) entry["reasons"] = step.reasons;
    json["steps"].push_back(std::move(entry));
  }
  return write_json(path, json);
}

}  // namespace fye
