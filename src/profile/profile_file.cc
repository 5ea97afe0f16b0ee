#include <fmt/format.h>

#include <set>

#include "base/json.h"
#include "profile/fields.h"
#include "profile/profile.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
constexpr double kDayMs = 24 * 3600 * 1000.;
// Larger sides than any picture that fye reads.
constexpr int kMostPixels = 1 << 20;
constexpr double kMostFactor = 100;
constexpr double kMostWatts = 1e5;

Json json_of(const Timing& time) { return {{"ms", time.ms}, {"half_width", time.half_width}, {"n", time.n}}; }

Result<Timing> read_timing(const FieldReader& in) {
  const auto ms = in.number("ms", 0, kDayMs);
  if (!ms) return ms.error();
  const auto half = in.number("half_width", 0, kDayMs);
  if (!half) return half.error();
  const auto n = in.whole("n", 0, 1 << 30);
  if (!n) return n.error();
  return Timing{*ms, *half, *n};
}

Result<std::map<std::string, Timing>> read_timings(const FieldReader& in, const Json& json,
                                                   const std::vector<std::string>& processors) {
  std::map<std::string, Timing> times;
  for (const auto& [processor, entry] : json.items()) {
    if (std::find(processors.begin(), processors.end(), processor) == processors.end())
      return in.wrong(processor, "is none of the profile's processors");
    auto time = read_timing(in.inner(processor, entry));
    if (!time) return time.error();
    times[processor] = *time;
  }
  return times;
}

Result<HandOver> read_hand_over(const FieldReader& in, const Json& json) {
  HandOver hand;
  auto tensor = in.text("tensor");
  if (!tensor) return tensor.error();
  hand.tensor = *std::move(tensor);
  for (const auto& [key, form] : {std::pair{"from", &hand.from}, std::pair{"to", &hand.to}}) {
    const auto text = in.text(key);
    if (!text) return text.error();
    const auto known = form_from(*text);
    if (!known) return in.wrong(key, fmt::format("\"{}\" is none of f32, bf16, u8, s16, host", *text));
    *form = *known;
  }
  auto time = read_timing(in.inner("time", json.contains("time") ? json["time"] : Json()));
  if (!time) return time.error();
  hand.time = *time;
  return hand;
}

Result<MachineId> read_machine(const FieldReader& in) {
  MachineId id;
  for (const auto& [key, field] :
       {std::pair{"cpu", &id.cpu}, std::pair{"isa", &id.isa}, std::pair{"build", &id.build}}) {
    auto text = in.text(key);
    if (!text) return text.error();
    *field = *std::move(text);
  }
  const auto threads = in.whole("threads", 1, 1 << 16);
  if (!threads) return threads.error();
  id.threads = *threads;
  return id;
}

}  // namespace

const UnitTimes* Profile::unit(const std::string& name) const {
  for (const UnitTimes& times : units)
    if (times.unit == name) return &times;
  return nullptr;
}

Result<Profile> read_profile(const std::filesystem::path& path, const std::string& graph_sha256) {
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "profile.json");
  if (auto status = check_head(in, kVersion, graph_sha256); !status) return status.error();
  Profile profile;
  profile.graph_sha256 = (*json)["graph"].get<std::string>();
  const auto machine_json = in.object("machine");
  if (!machine_json) return machine_json.error();
  auto machine = read_machine(in.inner("machine", **machine_json));
  if (!machine) return machine.error();
  profile.machine = *std::move(machine);
  const auto width = in.whole("width", 1, kMostPixels);
  if (!width) return width.error();
  const auto height = in.whole("height", 1, kMostPixels);
  if (!height) return height.error();
  profile.width = *width;
  profile.height = *height;
  auto executor = in.text("executor");
  if (!executor) return executor.error();
  profile.executor = *std::move(executor);
  const auto fixed = in.number("fixed_ms", 0, kDayMs);
  if (!fixed) return fixed.error();
  profile.fixed_ms = *fixed;

  const auto conditions = in.object("conditions");
  if (!conditions) return conditions.error();
  for (const auto& [key, value] : (*conditions)->items())
    profile.conditions[key] = value.is_string() ? value.get<std::string>() : value.dump();

  const auto processors = in.list("processors");
  if (!processors) return processors.error();
  for (const Json& name : **processors) {
    if (!name.is_string()) return in.wrong("processors", fmt::format("{} is not a name", name.dump()));
    profile.processors.push_back(name.get<std::string>());
  }
  if (profile.processors.empty()) return in.wrong("processors", "there are none");

  const auto units = in.list("units");
  if (!units) return units.error();
  std::set<std::string> seen;
  for (const Json& entry : **units) {
    const FieldReader unit = in.inner(fmt::format("units[{}]", profile.units.size()), entry);
    auto name = unit.text("unit");
    if (!name) return name.error();
    if (!seen.insert(*name).second) return unit.wrong("unit", fmt::format("\"{}\" is there twice", *name));
    const auto on = unit.object("on");
    if (!on) return on.error();
    auto times = read_timings(unit.inner("on", **on), **on, profile.processors);
    if (!times) return times.error();
    if (times->empty()) return unit.wrong("on", "no processor has a time");
    profile.units.push_back({*std::move(name), *std::move(times)});
  }
  if (profile.units.empty()) return in.wrong("units", "there are none");

  const auto hands = in.list("hand_overs");
  if (!hands) return hands.error();
  for (const Json& entry : **hands) {
    auto hand =
        read_hand_over(in.inner(fmt::format("hand_overs[{}]", profile.hand_overs.size()), entry), entry);
    if (!hand) return hand.error();
    profile.hand_overs.push_back(*std::move(hand));
  }
  const auto whole = in.object("whole");
  if (!whole) return whole.error();
  auto times = read_timings(in.inner("whole", **whole), **whole, profile.processors);
  if (!times) return times.error();
  profile.whole = *std::move(times);
  const auto chain = in.object("chain");
  if (!chain) return chain.error();
  for (const auto& [processor, value] : (*chain)->items()) {
    const auto factor = in.inner("chain", **chain).number(processor.c_str(), 0, kMostFactor);
    if (!factor) return factor.error();
    profile.chain[processor] = *factor;
  }
  const auto watts = in.object("watts");
  if (!watts) return watts.error();
  for (const auto& [processor, value] : (*watts)->items()) {
    const auto power = in.inner("watts", **watts).number(processor.c_str(), 0, kMostWatts);
    if (!power) return power.error();
    profile.watts[processor] = *power;
  }
  if (!profile.watts.empty()) {
    auto from = in.text("watts_from");
    if (!from) return from.error();
    if (*from != "rapl" && *from != "file")
      return in.wrong("watts_from", fmt::format("\"{}\" is neither rapl nor file", *from));
    profile.watts_from = *std::move(from);
  }
  return profile;
}

Status write_profile(const std::filesystem::path& path, const Profile& profile) {
  Json json = {{"version", kVersion},
               {"graph", profile.graph_sha256},
               {"machine",
                {{"cpu", profile.machine.cpu},
                 {"isa", profile.machine.isa},
                 {"build", profile.machine.build},
                 {"threads", profile.machine.threads}}},
               {"width", profile.width},
               {"height", profile.height},
               {"executor", profile.executor},
               {"conditions", profile.conditions},
               {"processors", profile.processors},
               {"fixed_ms", profile.fixed_ms}};
  const auto timings = [](const std::map<std::string, Timing>& times) {
    Json all = Json::object();
    for (const auto& [processor, time] : times) all[processor] = json_of(time);
    return all;
  };
  json["whole"] = timings(profile.whole);
  json["chain"] = profile.chain;
  if (!profile.watts.empty()) {
    json["watts"] = profile.watts;
    json["watts_from"] = profile.watts_from;
  }
  json["units"] = Json::array();
  for (const UnitTimes& unit : profile.units)
    json["units"].push_back({{"unit", unit.unit}, {"on", timings(unit.on)}});
  json["hand_overs"] = Json::array();
  for (const HandOver& hand : profile.hand_overs)
    json["hand_overs"].push_back({{"tensor", hand.tensor},
                                  {"from", name(hand.from)},
                                  {"to", name(hand.to)},
                                  {"time", json_of(hand.time)}});
  return write_json(path, json);
}

}  // namespace fye
