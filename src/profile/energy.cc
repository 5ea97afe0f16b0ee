#include "profile/energy.h"

#include <fstream>

#include "base/json.h"
#include "profile/fields.h"

namespace fye {
namespace {

std::optional<int64_t> number_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  int64_t value = 0;
  if (!(in >> value) || value < 0) return {};
  return value;
}

}  // namespace

std::optional<EnergyMeter> EnergyMeter::open(const std::filesystem::path& folder) {
  EnergyMeter meter;
  std::error_code none;
  for (const auto& domain : std::filesystem::directory_iterator(folder, none)) {
    const std::string name = domain.path().filename().string();
    // "intel-rapl:0" is a package, "intel-rapl:0:1" a part of one.
    if (!name.starts_with("intel-rapl:") || name.find(':') != name.rfind(':')) continue;
    const auto now = number_in(domain.path() / "energy_uj"),
               range = number_in(domain.path() / "max_energy_range_uj");
    if (now && range) meter.counters_.push_back({domain.path() / "energy_uj", *now, *range});
  }
  if (meter.counters_.empty()) return {};
  return meter;
}

double EnergyMeter::millijoules() {
  double sum = 0;
  for (Counter& counter : counters_) {
    const auto now = number_in(counter.file);
    if (!now) continue;
    int64_t used = *now - counter.last;
    if (used < 0) used += counter.range;
    counter.last = *now;
    sum += double(used) / 1000;
  }
  return sum;
}

Result<std::map<std::string, double>> read_watts(const std::filesystem::path& path) {
  constexpr double kMostWatts = 1e5;
  const auto json = read_json(path);
  if (!json) return json.error();
  const FieldReader in(path, "", *json, "watts.json");
  const auto version = in.whole("version", 1, 1);
  if (!version) return version.error();
  const auto given = in.object("watts");
  if (!given) return given.error();
  if ((*given)->empty()) return in.wrong("watts", "is missing or empty");
  std::map<std::string, double> watts;
  const FieldReader values = in.inner("watts", **given);
  for (const auto& [processor, value] : (*given)->items()) {
    const auto number = values.number(processor.c_str(), 0, kMostWatts);
    if (!number) return number.error();
    watts[processor] = *number;
  }
  return watts;
}

}  // namespace fye
