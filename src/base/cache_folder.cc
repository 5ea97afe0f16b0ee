#include "base/cache_folder.h"

#include <cstdlib>
#include <utility>

namespace fye {

std::optional<std::filesystem::path> cache_folder() {
  for (const auto& [variable, below] : {std::pair{"XDG_CACHE_HOME", "fye"}, {"HOME", ".cache/fye"}}) {
    const char* folder = std::getenv(variable);
    if (folder && std::filesystem::path(folder).is_absolute()) return std::filesystem::path(folder) / below;
  }
  return {};
}

}  // namespace fye
