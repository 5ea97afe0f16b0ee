// Energy: what the processor package has used, where the machine counts it (RAPL), and what a device file
// says where it doesn't.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// The package counters of Linux's powercap tree: intel-rapl:N (also AMD's), not the domains inside a package.
class EnergyMeter {
 public:
  // Nothing where there are none, or where they may only be read by root.
  static std::optional<EnergyMeter> open(const std::filesystem::path& folder = "/sys/class/powercap");

  // All packages since the meter was opened or last asked. Counters wrap; ask at least once a minute.
  double millijoules();

 private:
  struct Counter {
    std::filesystem::path file;
    int64_t last, range;  // microjoules
  };
  std::vector<Counter> counters_;
};

// watts.json: {"version": 1, "watts": {"cpu.f32": 14.5, ...}}: mean power of a device while a processor
// works. Errors name the file and the value.
Result<std::map<std::string, double>> read_watts(const std::filesystem::path& path);

}  // namespace fye
