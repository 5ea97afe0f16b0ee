#include "runtime/machine.h"

#include <fmt/format.h>

#include "base/cache_folder.h"
#include "base/isa.h"
#include "base/version.h"

namespace fye {

MachineId this_machine(int threads) {
  return {std::string(cpu_model()), std::string(name(active_isa())),
          fmt::format("{} {}", kVersion, __VERSION__), threads};
}

std::optional<std::filesystem::path> kept_file(const std::string& kind, const std::string& graph_sha256,
                                               int width, int height, const MachineId& machine) {
  const auto folder = cache_folder();
  if (!folder || graph_sha256.empty()) return {};
  constexpr size_t kDigits = 12;  // enough to tell a user's models apart; the file holds all of it
  return *folder / kind /
         fmt::format("{}-{}x{}-{}-{}.json", graph_sha256.substr(0, kDigits), width, height, machine.threads,
                     machine.isa);
}

}  // namespace fye
