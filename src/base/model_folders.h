// Model folders: where networks and the tools that install them are looked for.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace fye {

// Where to look for models, in order: $FYE_MODELS alone if it is set; else beside the executable, or the library
// if this code is in one (../share/fye/models, ./models), in the source tree, and in user_model_folder(). Not all
// of them exist.
std::vector<std::filesystem::path> model_folders();

// Where `fye models install` puts what it makes: $FYE_MODELS, else $XDG_DATA_HOME/fye/models, else
// ~/.local/share/fye/models. It may not exist yet. Errors: none of the three is set.
Result<std::filesystem::path> user_model_folder();

// A file of the tools folder: in $FYE_TOOLS alone if it is set; else beside the executable
// (../share/fye/tools, ./tools) or in the source tree. Errors: there is no such file.
Result<std::filesystem::path> find_tool(std::string_view name);

}  // namespace fye
