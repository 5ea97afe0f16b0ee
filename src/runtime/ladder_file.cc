#include <fmt/format.h>

#include "base/json.h"
#include "plan/identity.h"
#include "runtime/ladder.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
constexpr double kMostDb = 200;
constexpr int kMostScale = 16;

Result<LadderRung> read_rung(const FieldReader& in) {
  LadderRung rung;
  auto model = in.text("model");
  if (!model) return model.error();
  rung.model = *std::move(model);
  auto graph = in.text("graph");
  if (!graph) return graph.error();
  rung.graph_sha256 = *std::move(graph);
  const auto ms = in.number("ms", 0, kMostMs);
  if (!ms) return ms.error();
  const auto psnr = in.number("psnr_y", 0, kMostDb);
  if (!psnr) return psnr.error();
  rung.ms = *ms;
  rung.psnr = *psnr;
  rung.plan.graph_sha256 = rung.graph_sha256;
  const auto steps = in.list("steps");
  if (!steps) return steps.error();
  for (const Json& entry : **steps) {
    const FieldReader step = in.inner(fmt::format("steps[{}]", rung.plan.steps.size()), entry);
    auto processor = step.text("placement");
    if (!processor) return processor.error();
    const auto units = step.list("units");
    if (!units) return units.error();
    PlanStep made{.units = {}, .processor = *std::move(processor), .reason = {}};
    for (const Json& unit : **units) {
      if (!unit.is_string()) return step.wrong("units", fmt::format("{} is not a name", unit.dump()));
      made.units.push_back(unit.get<std::string>());
    }
    rung.plan.steps.push_back(std::move(made));
  }
  if (rung.plan.steps.empty()) return in.wrong("steps", "there are none");
  return rung;
}

}  // namespace

Result<Ladder> read_ladder(const std::filesystem::path& path) {
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "ladder.json");
  const auto version = in.whole("version", kVersion, kVersion);
  if (!version) return version.error();
  Ladder ladder;
  auto machine = read_machine(in);
  if (!machine) return machine.error();
  ladder.machine = *std::move(machine);
  for (const auto& [key, field, most] :
       {std::tuple{"width", &ladder.width, kMostSide}, std::tuple{"height", &ladder.height, kMostSide},
        std::tuple{"scale", &ladder.scale, kMostScale},
        std::tuple{"pictures", &ladder.pictures, kMostSide}}) {
    const auto value = in.whole(key, 1, most);
    if (!value) return value.error();
    *field = *value;
  }
  const auto rungs = in.list("rungs");
  if (!rungs) return rungs.error();
  for (const Json& entry : **rungs) {
    auto rung = read_rung(in.inner(fmt::format("rungs[{}]", ladder.rungs.size()), entry));
    if (!rung) return rung.error();
    if (!ladder.rungs.empty() && (rung->ms < ladder.rungs.back().ms || rung->psnr < ladder.rungs.back().psnr))
      return in.wrong("rungs", "are not in ascending order of ms and psnr_y");
    ladder.rungs.push_back(*std::move(rung));
  }
  if (ladder.rungs.empty()) return in.wrong("rungs", "there are none");
  return ladder;
}

Status write_ladder(const std::filesystem::path& path, const Ladder& ladder) {
  Json json = {{"version", kVersion},   {"machine", json_of(ladder.machine)},
               {"width", ladder.width}, {"height", ladder.height},
               {"scale", ladder.scale}, {"pictures", ladder.pictures},
               {"rungs", Json::array()}};
  for (const LadderRung& rung : ladder.rungs) {
    Json entry = {{"model", rung.model},
                  {"graph", rung.graph_sha256},
                  {"ms", rung.ms},
                  {"psnr_y", rung.psnr},
                  {"steps", Json::array()}};
    for (const PlanStep& step : rung.plan.steps)
      entry["steps"].push_back({{"units", step.units}, {"placement", step.processor}});
    json["rungs"].push_back(std::move(entry));
  }
  return write_json(path, json);
}

}  // namespace fye
