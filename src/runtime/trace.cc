// Tested by runtime/trace_test.cc.
#include "runtime/trace.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "plan/identity.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
constexpr int kMostFrames = 100'000'000;
// `rest` may be a little below 0: clocks of threads and of the wall differ.
constexpr double kLeast = -1000;

Json json_of(const FrameTrace& t) {
  return {{"frame", t.frame},
          {"entry", t.entry},
          {"ms", t.ms},
          {"deadline_ms", t.deadline_ms},
          {"late", t.late},
          {"units", t.units},
          {"hand_overs", t.hand_overs},
          {"moving", t.moving},
          {"around", t.around},
          {"waiting", t.waiting},
          {"rest", t.rest}};
}

bool has(const Json& json, const char* key) { return json.is_object() && json.contains(key); }

Status read_times(const FieldReader& in, const char* key, std::map<std::string, double>& into) {
  const auto object = in.object(key);
  if (!object) return object.error();
  for (const auto& [name, value] : (*object)->items()) {
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < 0 ||
        value.get<double>() > kMostMs)
      return in.wrong(key, fmt::format("{} is no time in milliseconds", value.dump()));
    into[name] = value.get<double>();
  }
  return {};
}

Result<FrameTrace> read_frame(const FieldReader& in, const Json& json) {
  FrameTrace t;
  for (const auto& [key, field] : {std::pair{"frame", &t.frame}, std::pair{"entry", &t.entry}}) {
    const auto value = in.whole(key, 0, kMostFrames);
    if (!value) return value.error();
    *field = *value;
  }
  // A deadline may be as far away as somebody likes.
  for (const auto& [key, least, most, field] :
       {std::tuple{"ms", 0., kMostMs, &t.ms}, std::tuple{"deadline_ms", 0., 1e300, &t.deadline_ms},
        std::tuple{"moving", 0., kMostMs, &t.moving}, std::tuple{"around", 0., kMostMs, &t.around},
        std::tuple{"waiting", 0., kMostMs, &t.waiting}, std::tuple{"rest", kLeast, kMostMs, &t.rest}}) {
    const auto value = in.number(key, least, most);
    if (!value) return value.error();
    *field = *value;
  }
  if (!has(json, "late") || !json["late"].is_boolean()) return in.wrong("late", "must be true or false");
  t.late = json["late"].get<bool>();
  if (auto read = read_times(in, "units", t.units); !read) return read.error();
  if (auto read = read_times(in, "hand_overs", t.hand_overs); !read) return read.error();
  return t;
}

Result<std::vector<PlanStep>> read_steps(const FieldReader& in, const Json& list, const std::string& entry) {
  if (!list.is_array() || list.empty())
    return in.wrong("plans", fmt::format("entry {} has no list of steps", entry));
  std::vector<PlanStep> steps;
  for (const Json& json : list) {
    const FieldReader step = in.inner(fmt::format("plans.{}[{}]", entry, steps.size()), json);
    auto processor = step.text("placement");
    if (!processor) return processor.error();
    const auto units = step.list("units");
    if (!units) return units.error();
    PlanStep made{.units = {}, .processor = *std::move(processor), .reason = {}};
    for (const Json& unit : **units) {
      if (!unit.is_string()) return step.wrong("units", fmt::format("{} is not a name", unit.dump()));
      made.units.push_back(unit.get<std::string>());
    }
    steps.push_back(std::move(made));
  }
  return steps;
}

// What traces say since they say what they were taken on: all of it may be absent.
Status read_origin(const FieldReader& in, const Json& json, Trace& trace) {
  if (has(json, "machine")) {
    auto machine = read_machine(in);
    if (!machine) return machine.error();
    trace.machine = *std::move(machine);
  }
  for (const auto& [key, field] : {std::pair{"width", &trace.width}, std::pair{"height", &trace.height}}) {
    if (!has(json, key)) continue;
    const auto side = in.whole(key, 1, kMostSide);
    if (!side) return side.error();
    *field = *side;
  }
  const auto conditions = in.object("conditions");
  if (!conditions) return conditions.error();
  for (const auto& [key, value] : (*conditions)->items()) {
    if (!value.is_string()) return in.wrong("conditions", fmt::format("{} is not a text", value.dump()));
    trace.conditions[key] = value.get<std::string>();
  }
  const auto plans = in.object("plans");
  if (!plans) return plans.error();
  for (const auto& [key, value] : (*plans)->items()) {
    int entry = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), entry);
    if (error != std::errc() || end != key.data() + key.size() || entry < 0)
      return in.wrong("plans", fmt::format("\"{}\" is not the number of an entry", key));
    auto steps = read_steps(in, value, key);
    if (!steps) return steps.error();
    trace.plans[entry] = *std::move(steps);
  }
  return {};
}

}  // namespace

Result<Trace> read_trace(const std::filesystem::path& path, const std::string& graph_sha256) {
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "trace.json");
  if (auto head = check_head(in, kVersion, graph_sha256); !head) return head.error();
  Trace trace;
  auto graph = in.text("graph");
  if (!graph) return graph.error();
  trace.graph_sha256 = *std::move(graph);
  const auto threads = in.whole("threads", 1, 1 << 16);
  if (!threads) return threads.error();
  trace.threads = *threads;
  if (auto origin = read_origin(in, *json, trace); !origin) return origin.error();
  const auto frames = in.list("frames");
  if (!frames) return frames.error();
  for (const Json& entry : **frames) {
    auto frame = read_frame(in.inner(fmt::format("frames[{}]", trace.frames.size()), entry), entry);
    if (!frame) return frame.error();
    trace.frames.push_back(*std::move(frame));
  }
  if (trace.frames.empty()) return in.wrong("frames", "there are none");
  return trace;
}

Status write_trace(const std::filesystem::path& path, const Trace& trace) {
  Json json = {{"version", kVersion}, {"graph", trace.graph_sha256}, {"threads", trace.threads}};
  if (trace.machine) json["machine"] = fye::json_of(*trace.machine);
  if (trace.width > 0) json["width"] = trace.width;
  if (trace.height > 0) json["height"] = trace.height;
  if (!trace.conditions.empty()) json["conditions"] = trace.conditions;
  for (const auto& [entry, steps] : trace.plans)
    for (const PlanStep& step : steps)
      json["plans"][std::to_string(entry)].push_back({{"units", step.units}, {"placement", step.processor}});
  json["frames"] = Json::array();
  for (const FrameTrace& frame : trace.frames) json["frames"].push_back(json_of(frame));
  return write_json(path, json);
}

}  // namespace fye
