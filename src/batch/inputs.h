// What a bulk run is about: files, folders, patterns and lists, as one list of files with their names in the output
// folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>
#include <vector>

#include "base/result.h"

namespace fye {

// A file to do.
struct Input {
  std::filesystem::path path;      // where it is
  std::filesystem::path relative;  // its name below the output folder; "a/b.png" where a tree was walked
};

struct Inputs {
  std::vector<Input> files;
  size_t ignored = 0;             // neither a picture nor a film by name or content
  std::vector<std::string> notes;  // sentences: a folder that could not be read
};

struct WalkOptions {
  bool recursive = false;
  std::filesystem::path leave_out;  // a folder below that is not walked: the output's own; may be empty
};

// Pictures and films of a folder in the order of their names; hidden files and folders (.name) are passed over, a link
// to a file is followed, one to a folder is not. Errors: it can't be read at all.
Result<Inputs> walk(const std::filesystem::path& folder, const WalkOptions& options);

// True if `text` has *, ? or [ and there is no file of that very name.
bool is_pattern(const std::string& text);

// What the pattern of a shell (glob(7), {a,b} too) matches, sorted; files keep their last name alone, folders are
// walked. Errors: nothing matches.
Result<Inputs> expand(const std::string& pattern, const WalkOptions& options);

// The names in a list: a name a line, or ended by 0 bytes (find -print0) if there is one in it. Relative names count
// from the current folder. Errors: more than 64 MB, a name longer than the system allows.
Result<std::vector<std::string>> read_list(std::istream& list, const std::string& name);

// True for the extensions that cameras, scanners and programs give to pictures and films, read by fye or not.
bool has_media_extension(const std::filesystem::path& path);

}  // namespace fye
