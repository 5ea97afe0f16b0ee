// Where fye keeps what it measured on this machine.
#pragma once

#include <filesystem>
#include <optional>

namespace fye {

// $XDG_CACHE_HOME/fye, or ~/.cache/fye without it; nothing if neither variable holds an absolute path (the
// XDG base directory rules). Not created.
std::optional<std::filesystem::path> cache_folder();

}  // namespace fye
