#include "cli/peaks.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "base/cache_folder.h"
#include "cli/interrupt.h"
#include "cli/version.h"
#include "kernels/peak/peak.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> cache_file() {
  const auto folder = cache_folder();
  return folder ? std::optional(*folder / "peaks.json") : std::nullopt;
}

// What the figures belong to; other compilers and other settings of fye measure other peaks.
Json identity() {
  return {
      {"version", kVersion}, {"compiler", __VERSION__}, {"cpu", cpu_model()}, {"isa", name(active_isa())}};
}

// Other identities' figures stay in the file, each once.
Json stored_file() {
  const auto file = cache_file();
  if (!file) return Json::array();
  const auto json = read_json(*file);
  return json && json->is_array() ? *json : Json::array();
}

bool is_peak(const Json& row) {
  if (!row.is_object() || !row.contains("value") || !row["value"].is_number()) return false;
  for (const char* key : {"what", "name", "isa", "unit"}) {
    if (!row.contains(key) || !row[key].is_string()) return false;
  }
  return true;
}

void store(const Json& peaks) {
  const auto file = cache_file();
  if (!file) return;
  Json kept = Json::array({{{"identity", identity()}, {"peaks", peaks}}});
  for (const Json& entry : stored_file()) {
    if (entry.is_object() && entry.contains("identity") && entry["identity"] != identity())
      kept.push_back(entry);
  }
  std::error_code ignored;
  fs::create_directories(file->parent_path(), ignored);
  const FinishWriting uninterrupted;
  const Status written = write_json(*file, kept);
  if (!written) spdlog::info("the peaks are not kept: {}", written.error().text());
}

}  // namespace

std::optional<Json> stored_peaks() {
  for (const Json& entry : stored_file()) {
    if (!entry.is_object() || !entry.contains("identity") || entry["identity"] != identity()) continue;
    if (!entry.contains("peaks") || !entry["peaks"].is_array()) continue;
    const Json& peaks = entry["peaks"];
    if (std::all_of(peaks.begin(), peaks.end(), is_peak)) return peaks;
  }
  return {};
}

Json measured_peaks(Refresh refresh) {
  if (refresh == Refresh::no) {
    if (auto stored = stored_peaks()) return *stored;
  }
  const Peaks measured = measure_peaks(active_isa());
  Json peaks = Json::array();
  for (const Peak& peak : measured.compute) {
    peaks.push_back({{"what", name(peak.numbers)},
                     {"name", peak.name},
                     {"isa", name(peak.isa)},
                     {"value", peak.gmacs},
                     {"unit", "GMAC/s"}});
  }
  peaks.push_back({{"what", "copy"},
                   {"name", "copy in memory"},
                   {"isa", name(active_isa())},
                   {"value", measured.copy_gb_per_second},
                   {"unit", "GB/s"}});
  store(peaks);
  return peaks;
}

double peak_gmacs(const Json& peaks, Numbers numbers) {
  // int8r16 multiplies as int8 does.
  const std::string_view what = name(numbers == Numbers::int8r16 ? Numbers::int8 : numbers);
  double best = 0;
  for (const Json& peak : peaks) {
    if (peak["what"] == what) best = std::max(best, peak["value"].get<double>());
  }
  return best;
}

}  // namespace fye
