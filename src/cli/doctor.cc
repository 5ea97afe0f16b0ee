// fye doctor
#include <fmt/format.h>
#include <sys/sysinfo.h>

#include <cstdio>
#include <cstdlib>

#include "base/isa.h"
#include "base/json.h"
#include "base/threads.h"
#include "cli/peaks.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "image/file.h"
#include "processors/processor.h"
#include "runtime/model.h"

namespace fye {
namespace {

struct DoctorFlags {
  bool measure = false, json = false;
};

double gigabytes(unsigned long units, unsigned unit_bytes) { return double(units) * unit_bytes / (1 << 30); }

Json isas() {
  Json rows = Json::array();
  for (Isa isa : kAllIsas) {
    rows.push_back(
        {{"name", name(isa)}, {"machine", machine_has(isa)}, {"allowed", may_use(isa, active_isa())}});
  }
  return rows;
}

Json processor_rows() {
  Json rows = Json::array();
  for (const Processor* processor : processors(active_isa())) {
    rows.push_back({{"name", processor->name()}, {"numbers", name(processor->numbers())}});
  }
  return rows;
}

// What FYE_MAX_ISA says and what came of it; null if it is not set.
Json limit() {
  const char* asked = std::getenv("FYE_MAX_ISA");
  if (!asked) return nullptr;
  std::string effect = fmt::format("narrowed to {}", name(active_isa()));
  if (!isa_from(asked)) {
    effect = "not known, ignored; known are scalar, portable, avx2, avx2vnni, avx512, amx";
  } else if (!machine_has(*isa_from(asked))) {
    effect = fmt::format("this machine lacks it; {} is used", name(active_isa()));
  }
  return {{"FYE_MAX_ISA", asked}, {"effect", effect}};
}

Json models() {
  Json rows = Json::array();
  for (const ShippedModel& model : shipped_models())
    rows.push_back(
        {{"name", model.name}, {"scale", model.scale}, {"path", model.path.lexically_normal().string()}});
  return rows;
}

Json report() {
  struct sysinfo memory = {};
  sysinfo(&memory);
  const ReadLimits limits;
  Json numbers = Json::array();
  for (const Processor* processor : processors(active_isa())) {
    const std::string format(name(processor->numbers()));
    if (processor->name() != "null" && std::find(numbers.begin(), numbers.end(), format) == numbers.end())
      numbers.push_back(format);
  }
  return {{"version", kVersion},
          {"cpu", cpu_model()},
          {"cores", available_cores()},
          {"memory_gb", gigabytes(memory.totalram, memory.mem_unit)},
          {"memory_free_gb", gigabytes(memory.freeram + memory.bufferram, memory.mem_unit)},
          {"isa", name(active_isa())},
          {"isas", isas()},
          {"isa_limit", limit()},
          {"bf16_hardware", machine_has_avx512_bf16() || machine_has(Isa::amx)},
          {"numbers", numbers},
          {"processors", processor_rows()},
          {"codecs", codecs()},
          {"limits",
           {{"pixels", limits.pixels}, {"side", limits.side}, {"metadata_bytes", limits.metadata_bytes}}},
          {"models", models()}};
}

void print(const Json& json) {
  fmt::print("fye {}\n", json["version"].get<std::string>());
  fmt::print("CPU           {}, {} cores, {:.1f} of {:.1f} GB of memory free\n",
             json["cpu"].get<std::string>(), json["cores"].get<int>(), json["memory_free_gb"].get<double>(),
             json["memory_gb"].get<double>());
  std::string sets;
  for (const Json& isa : json["isas"]) {
    const std::string mark = !isa["machine"].get<bool>()   ? " (not here)"
                             : !isa["allowed"].get<bool>() ? " (switched off)"
                                                           : "";
    sets += (sets.empty() ? "" : ", ") + isa["name"].get<std::string>() + mark;
  }
  fmt::print("instructions  {}; {} is used\n", sets, json["isa"].get<std::string>());
  if (const Json& narrowed = json["isa_limit"]; !narrowed.is_null())
    fmt::print("              FYE_MAX_ISA={}: {}\n", narrowed["FYE_MAX_ISA"].get<std::string>(),
               narrowed["effect"].get<std::string>());
  std::string formats, devices;
  for (const Json& format : json["numbers"])
    formats += (formats.empty() ? "" : ", ") + format.get<std::string>();
  for (const Json& row : json["processors"])
    devices += (devices.empty() ? "" : ", ") + row["name"].get<std::string>();
  fmt::print("numbers       {}{}\n", formats, json["bf16_hardware"].get<bool>() ? "" : " (no bf16 hardware)");
  fmt::print("processors    {}\n", devices);
  fmt::print("pictures      {}\n", json["codecs"].get<std::string>());
  const Json& limits = json["limits"];
  fmt::print("limits        {} megapixels, {} pixels a side, {} MB a block of metadata\n",
             limits["pixels"].get<int64_t>() / 1'000'000, limits["side"].get<int>(),
             limits["metadata_bytes"].get<int64_t>() >> 20);
  std::string models;
  for (const Json& model : json["models"])
    models += fmt::format("{}{} (x{})", models.empty() ? "" : ", ", model["name"].get<std::string>(),
                          model["scale"].get<int>());
  fmt::print("models        {}\n", models.empty() ? "none found; set FYE_MODELS to their folder" : models);
  if (!json.contains("peaks")) return;
  for (const Json& peak : json["peaks"])
    fmt::print("peak          {:>8.1f} {:<6} {}\n", peak["value"].get<double>(),
               peak["unit"].get<std::string>(), peak["name"].get<std::string>());
}

Status doctor(const DoctorFlags& options) {
  Json json = report();
  if (options.measure) {
    json["peaks"] = measured_peaks(Refresh::yes);
  } else if (const auto peaks = stored_peaks()) {
    json["peaks"] = *peaks;
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
  } else {
    print(json);
  }
  return {};
}

}  // namespace

Run add_doctor(CLI::App& app) {
  auto options = std::make_shared<DoctorFlags>();
  app.add_flag(
      "--measure", options->measure,
      "measure what the arithmetic units and the memory can do (under a second; kept for later calls)");
  app.add_flag("--json", options->json, "print JSON");
  app.footer(
      R"(FYE_MAX_ISA=scalar|portable|avx2|avx2vnni|avx512|amx narrows the instruction set. FYE_WINOGRAD=off computes
float convolutions in their direct form: slower, and rounded less. Measured peaks are kept in
$XDG_CACHE_HOME/fye/peaks.json (or ~/.cache), by CPU and build; they are for one core.

Examples:
  fye doctor
  fye doctor --measure
  FYE_MAX_ISA=avx2 fye doctor --json)");
  return [options] { return doctor(*options); };
}

}  // namespace fye
