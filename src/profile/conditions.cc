#include "profile/conditions.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace fye {
namespace {

std::string first_word(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

std::string clock_mhz() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("cpu MHz"))
      if (const size_t colon = line.find(':'); colon != std::string::npos) return line.substr(colon + 2);
  return {};
}

std::string hottest() {
  long most = 0;
  std::error_code none;
  for (const auto& zone : std::filesystem::directory_iterator("/sys/class/thermal", none))
    if (zone.path().filename().string().starts_with("thermal_zone"))
      most = std::max(most, std::strtol(first_word(zone.path() / "temp").c_str(), nullptr, 10));
  return most > 0 ? fmt::format("{:.1f}", double(most) / 1000) : "";
}

}  // namespace

std::map<std::string, std::string> conditions_now() {
  std::map<std::string, std::string> now = {
      {"load", first_word("/proc/loadavg")},
      {"mhz", clock_mhz()},
      {"celsius", hottest()},
      {"date", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))}};
  std::erase_if(now, [](const auto& entry) { return entry.second.empty(); });
  return now;
}

}  // namespace fye
