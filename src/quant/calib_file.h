// calib.json: a Calib on disk (docs/formats.md).
#pragma once

#include <filesystem>

#include "base/result.h"
#include "graph/calib.h"

namespace fye {

// Errors name the file and the field. `graph_sha256` of the file must be the given one unless that is empty.
Result<Calib> read_calib(const std::filesystem::path& path, const std::string& graph_sha256);

Status write_calib(const std::filesystem::path& path, const Calib& calib);

}  // namespace fye
