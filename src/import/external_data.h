// External data: tensor bytes in a file beside the model, reached without leaving the model's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fye {

// `length` bytes at `offset` of folder/location. `location` is a relative path without ".."; no part of it
// may be a symbolic link; the file is regular, has one hard link, and is at most `limit` bytes long. Errors
// (bad_input) name the location; nothing is allocated before the file is known to have the bytes.
Result<std::string> read_external(const std::filesystem::path& folder, std::string_view location,
                                  int64_t offset, int64_t length, int64_t limit);

}  // namespace fye
