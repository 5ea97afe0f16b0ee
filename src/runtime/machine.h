// This machine and build as profiles and books name them, and where those are kept.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "profile/profile.h"

namespace fye {

MachineId this_machine(int threads);

// FOLDER/SHA12-WIDTHxHEIGHT-THREADS-ISA.json below the cache folder (base/cache_folder.h); `kind` is
// "profiles" or "books". Nothing where there is no cache folder or the graph has no sha256.
std::optional<std::filesystem::path> kept_file(const std::string& kind, const std::string& graph_sha256,
                                               int width, int height, const MachineId& machine);

}  // namespace fye
