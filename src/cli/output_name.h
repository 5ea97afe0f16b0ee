// Where a single file goes, and what may be replaced there: decided before anything is computed.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "batch/decide.h"

namespace fye {

struct OutputRequest {
  std::filesystem::path input;
  std::filesystem::path output;  // empty: beside the input with a suffix; a folder: in it, with the suffix
  bool by_option = false;        // output was given with -o
  bool in_place = false;         // the input's own name
  std::string format;            // "png", "jpg", "webp", "tif": extension of a made name; empty: the input's
  std::string suffix;            // of a made name: "_fye_x3"
  bool film = false;             // the names of films are right, and those of pictures are not
  // automatic replaces a file that was named with -o; a name that was given as a bare second argument (perhaps by a
  // shell's *.jpg) or made by fye never replaces anything.
  IfExists if_exists = IfExists::automatic;
};

// By the extension: a picture format that fye writes.
bool is_writable_picture(const std::filesystem::path& path);

// The file to write; empty: it is there, and is to be skipped. Errors: the folder is missing or not writable, the format
// is none that fye writes, the name is the input's own (by whatever path) without in_place, a file is there and may not
// be replaced.
Result<std::filesystem::path> output_path(const OutputRequest& request);

}  // namespace fye
