// Which picture of a folder belongs to which original: the one whose name without its extension is the same.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fye {

struct MatchedFolders {
  std::vector<std::pair<std::filesystem::path, std::filesystem::path>> pairs;  // original, picture; by name
  std::vector<std::filesystem::path> alone;  // of either folder, without a partner
};

// Not recursive. A picture is a file with the extension of a format that fye reads, or the content of one;
// hidden files and others are passed over. Errors (bad_input): a folder can't be read or has no pictures, two
// files of one folder differ in their extension alone, or no two names agree.
Result<MatchedFolders> match_folders(const std::filesystem::path& originals,
                                     const std::filesystem::path& pictures);

}  // namespace fye
