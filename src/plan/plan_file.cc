#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "plan/identity.h"
#include "plan/plan.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
constexpr std::pair<const char*, Sharing::By> kSharings[] = {
    {"rows", Sharing::By::rows}, {"channels", Sharing::By::channels}, {"patches", Sharing::By::patches}};
constexpr int kMostShares = 64;
constexpr double kMostVariation = 1e4;  // grey levels

Error wrong(const std::filesystem::path& path, const std::string& where, const std::string& what) {
  return bad_input(fmt::format("{}: {}: {}", path.string(), where, what),
                   "docs/formats.md describes plan.json");
}

// The field's value, or null.
const Json* find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

Result<Sharing::Share> read_share(const std::filesystem::path& path, const Json& json,
                                  const std::string& where, bool patches, bool last) {
  if (!json.is_object()) return wrong(path, where, "not an object");
  const FieldReader in(path, where, json, "plan.json");
  auto processor = in.text("processor");
  if (!processor) return processor.error();
  Sharing::Share share{.processor = *std::move(processor)};
  if (patches && find(json, "above")) {
    if (last) return wrong(path, where, "the last processor takes what is left; it has no \"above\"");
    const auto above = in.number("above", 0, kMostVariation);
    if (!above) return above.error();
    share.above = *above;
  }
  const auto part = in.number("share", 0, 1);
  if (!part) return part.error();
  share.part = *part;
  return share;
}

// {"rows": [{"processor": ..., "share": ...}, ...]} and the like.
Result<Sharing> read_sharing(const std::filesystem::path& path, const Json& json, const std::string& where) {
  Sharing sharing;
  const Json* shares = nullptr;
  std::string kind;
  for (const auto& [name, by] : kSharings)
    if (const Json* found = find(json, name)) {
      if (shares) return wrong(path, where, fmt::format("is by {} and by {}", kind, name));
      shares = found, kind = name, sharing.by = by;
    }
  if (!shares)
    return wrong(path, where, "\"placement\" must name a processor, or have rows, channels or patches");
  if (!shares->is_array() || shares->empty() || shares->size() > size_t(kMostShares))
    return wrong(path, where, fmt::format("\"{}\" must be a list of 1 to {} shares", kind, kMostShares));
  const bool patches = sharing.by == Sharing::By::patches;
  for (const Json& entry : *shares) {
    auto share = read_share(path, entry, fmt::format("{}, {} {}", where, kind, sharing.shares.size() + 1),
                            patches, sharing.shares.size() + 1 == shares->size());
    if (!share) return share.error();
    sharing.shares.push_back(*std::move(share));
  }
  if (!patches) return sharing;
  const FieldReader in(path, where, json, "plan.json");
  for (const auto& [key, least, most, field] : {std::tuple{"size", 8, 4096, &sharing.patches.size},
                                                std::tuple{"halo", 0, 256, &sharing.patches.halo}}) {
    const auto value = in.whole(key, least, most);
    if (!value) return value.error();
    *field = *value;
  }
  return sharing;
}

Json json_of(const Sharing& sharing) {
  Json shares = Json::array();
  for (const Sharing::Share& share : sharing.shares) {
    shares.push_back({{"processor", share.processor}, {"share", share.part}});
    if (share.above) shares.back()["above"] = *share.above;
  }
  Json json;
  for (const auto& [name, by] : kSharings)
    if (by == sharing.by) json[name] = std::move(shares);
  if (sharing.by == Sharing::By::patches) {
    json["size"] = sharing.patches.size;
    json["halo"] = sharing.patches.halo;
  }
  return json;
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
  if (placement->is_object()) {
    auto sharing = read_sharing(path, *placement, where);
    if (!sharing) return sharing.error();
    step.sharing = *std::move(sharing);
  } else {
    if (!placement->is_string() || placement->get_ref<const std::string&>().empty())
      return wrong(path, where, "\"placement\" must name a processor, for instance \"cpu.int8\"");
    step.processor = placement->get<std::string>();
  }
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
    Json entry = {{"units", step.units}};
    if (step.sharing)
      entry["placement"] = json_of(*step.sharing);
    else
      entry["placement"] = step.processor;
    if (!step.reason.empty()) entry["reason"] = step.reason;
    if (!step.reasons.empty()) entry["reasons"] = step.reasons;
    json["steps"].push_back(std::move(entry));
  }
  return write_json(path, json);
}

}  // namespace fye
