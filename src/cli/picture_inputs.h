// Picture files as inputs of a network: for calibration and everything else that learns from pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/parse.h"
#include "runtime/network_input.h"

namespace fye {

// Files as given, folders as their pictures in the order of their names. Errors: a folder without pictures.
Result<std::vector<std::filesystem::path>> picture_files(const std::vector<std::string>& given);

// The part of the picture that `crop` says, or all of it where that is smaller. Errors name the file.
Result<Picture> read_cropped(const std::filesystem::path& file, const Crop& crop);

// Those pictures as inputs of a network; of each at most `crop` ("WxH": the
// middle; "WxH+X+Y"). shrink: the pictures are large, so they are made smaller by the network's scale first.
// Errors name the file; a folder without pictures.
Result<std::vector<NetworkInput>> network_inputs(const std::vector<std::string>& given,
                                                 const std::string& crop, bool shrink,
                                                 const Conventions& conventions);

}  // namespace fye
