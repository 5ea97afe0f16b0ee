// Tested by report/report_test.cc.
#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/units.h"
#include "plan/plan.h"
#include "report/points.h"
#include "report/units.h"

namespace fye {
namespace {

constexpr int kVersion = 1;
// Of a book, as many plans as a hand can tell apart on a curve.
constexpr size_t kMostPoints = 120;

Json json_of(const MachineId& machine) {
  return {{"cpu", machine.cpu}, {"isa", machine.isa}, {"build", machine.build}, {"threads", machine.threads}};
}

std::string text_of(const std::map<std::string, std::string>& conditions, const char* key) {
  const auto found = conditions.find(key);
  return found == conditions.end() ? "" : found->second;
}

// Least and most pairs of runs behind the profile's times.
std::string counts_of(const Profile& profile) {
  int least = 0, most = 0;
  for (const UnitTimes& unit : profile.units)
    for (const auto& [name, time] : unit.on) {
      least = least == 0 ? time.n : std::min(least, time.n);
      most = std::max(most, time.n);
    }
  return least == most ? std::to_string(most) : fmt::format("{} to {}", least, most);
}

// Where each group of figures is from, and how it differs from the picture's own run.
Json sources_of(const Report& report) {
  Json sources = Json::array();
  const auto notes_on = [&](const MachineId& machine, int width, int height) {
    Json notes = Json::array();
    if (const std::string other = difference(machine, report.here); !other.empty())
      notes.push_back(fmt::format("measured on {}", other));
    if (width > 0 && (width != report.width || height != report.height))
      notes.push_back(fmt::format("for {}x{}; this page is about {}x{}", width, height, report.width, report.height));
    return notes;
  };
  for (const ReportRun& run : report.runs) {
    if (run.frames.empty()) continue;
    const MachineId machine = run.machine.value_or(MachineId{});
    Json source = {{"what", "times of " + run.name}, {"from", run.measured}, {"kind", "measured"},
                   {"n", std::to_string(run.frames.size())}, {"date", text_of(run.conditions, "date")},
                   {"load", text_of(run.conditions, "load")}};
    if (run.machine) source["machine"] = json_of(machine), source["notes"] = notes_on(machine, run.width, run.height);
    if (run.width > 0) source["size"] = fmt::format("{}x{}", run.width, run.height);
    sources.push_back(std::move(source));
  }
  if (report.profile) {
    const Profile& profile = report.profile->value;
    sources.push_back({{"what", "profile"},
                       {"from", report.profile->from},
                       {"kind", "measured"},
                       {"n", counts_of(profile)},
                       {"date", text_of(profile.conditions, "date")},
                       {"load", text_of(profile.conditions, "load")},
                       {"machine", json_of(profile.machine)},
                       {"size", fmt::format("{}x{}", profile.width, profile.height)},
                       {"notes", notes_on(profile.machine, profile.width, profile.height)}});
  }
  if (report.losses) {
    const Losses& losses = report.losses->value;
    sources.push_back({{"what", "losses"},
                       {"from", report.losses->from},
                       {"kind", "measured by simulation, on other pictures"},
                       {"n", fmt::format("{} crops", losses.crops)},
                       {"calib", losses.calib}});
  }
  if (report.book) {
    const Book& book = report.book->value;
    const bool measured = std::any_of(book.entries.begin(), book.entries.end(),
                                      [](const BookEntry& entry) { return entry.measured_ms.has_value(); });
    sources.push_back({{"what", "plan book"},
                       {"from", report.book->from},
                       {"kind", measured ? "predicted, and measured where it says so" : "predicted"},
                       {"n", fmt::format("{} plans", book.entries.size())},
                       {"machine", json_of(book.machine)},
                       {"size", fmt::format("{}x{}", book.width, book.height)},
                       {"notes", notes_on(book.machine, book.width, book.height)}});
  }
  return sources;
}

}  // namespace

Result<Json> report_data(const Report& report) {
  const Model& model = *report.model;
  NameTable processors;
  auto units = unit_columns(report, processors);
  if (!units) return units.error();
  int64_t macs = 0;
  for (const Json& of_unit : (*units)["macs"]) macs += of_unit.get<int64_t>();

  Json data = {{"version", kVersion}, {"date", report.date}, {"here", json_of(report.here)}};
  const std::string subject = report.picture.empty() ? model.name : report.picture;
  data["title"] = subject + " - fye report";
  data["size"] = {report.width, report.height};
  if (!report.picture.empty()) {
    data["picture"] = {{"file", report.picture}, {"channels", report.channels}, {"bits", report.bits}};
    data["enlarged"] = {report.out_width, report.out_height};
  }
  data["notices"] = report.notices;
  data["model"] = {{"name", model.name},
                   {"sha256", model.graph.sha256},
                   {"scale", model.conventions.scale},
                   {"units", (*units)["name"].size()},
                   {"macs", macs}};
  Json runs = Json::array();
  for (const ReportRun& run : report.runs) {
    auto json = run_json(report, run, processors);
    if (!json) return json.error();
    runs.push_back(*std::move(json));
  }
  data["runs"] = std::move(runs);
  if (report.book) {
    auto book = book_json(report, processors, kMostPoints);
    if (!book) return book.error();
    data["book"] = *std::move(book);
  }
  data["scores"] = Json::array();
  for (const ScoreTable& table : report.scores) data["scores"].push_back(json_of(table));
  data["sources"] = sources_of(report);
  data["absent"] = Json::array();
  for (const AbsentPart& absent : report.absent)
    data["absent"].push_back({{"part", absent.part}, {"why", absent.why}, {"command", absent.command}});
  data["processors"] = processors.names();
  data["units"] = *std::move(units);
  data["left_out"] = Json::array();
  return data;
}

Json fitted(Json data, std::span<const PagePicture> pictures) {
  const auto too_much = [&] { return page_bytes(data, pictures) > kMostPageBytes; };
  if (!too_much()) return data;
  // Half of the points at a time, the ends and the runs' own plans last.
  constexpr size_t kLeastPoints = 16;
  while (data.contains("book") && data["book"]["points"].size() > kLeastPoints && too_much()) {
    const Json old = data["book"]["points"];
    Json kept = Json::array();
    for (size_t i = 0; i < old.size(); ++i) {
      bool own = false;
      for (const Json& entry : data["book"]["own"]) own = own || entry == old[i]["entry"];
      if (i % 2 == 0 || i + 1 == old.size() || own) kept.push_back(old[i]);
    }
    data["book"]["points"] = std::move(kept);
  }
  if (!too_much()) return data;
  data["left_out"].push_back("what each layer would take on other processors");
  for (const char* key : {"spread", "ms", "loss"}) {
    if (!data["units"].contains(key)) continue;
    Json& columns = data["units"][key];
    for (size_t p = 0; p < columns.size(); ++p)
      for (size_t u = 0; u < columns[p].size(); ++u) {
        bool used = false;
        for (const Json& run : data["runs"]) used = used || run["on"][u] == p;
        if (!used) columns[p][u] = nullptr;
      }
  }
  if (!too_much()) return data;
  data["left_out"].push_back("what moving each layer would change");
  for (Json& run : data["runs"]) run.erase("moves");
  return data;
}

}  // namespace fye
