// JSON files: bounded, with the file's name in every error.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace fye {

using Json = nlohmann::ordered_json;

// Parses a file of at most 64 MB and at most 64 levels. Errors name the file and the byte.
Result<Json> read_json(const std::filesystem::path& path);

// Pretty-printed, complete or not at all.
Status write_json(const std::filesystem::path& path, const Json& json);

}  // namespace fye
