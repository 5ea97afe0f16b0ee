#include "base/model_folders.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <optional>
#include <system_error>

namespace fye {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> folder_from(const char* variable) {
  const char* given = std::getenv(variable);
  if (!given || !*given) return std::nullopt;
  return fs::path(given);
}

// The file that this code is in: the executable, or the library in whatever program has loaded it.
fs::path own_file() {
  std::error_code problem;
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) && info.dli_fname && *info.dli_fname == '/') {
    if (auto file = fs::canonical(info.dli_fname, problem); !problem) return file;
  }
  return fs::read_symlink("/proc/self/exe", problem);
}

// Installed (bin/../share, lib/../share, lib/x86_64-linux-gnu/../../share), beside the file, and a build folder
// up to two levels below the source tree.
std::vector<fs::path> beside_us(const fs::path& name) {
  const fs::path here = own_file().parent_path();
  return {here / "../share/fye" / name, here / "../../share/fye" / name, here / name,
          here / ".." / name,           here / "../.." / name,           here / "../../.." / name};
}

}  // namespace

std::vector<fs::path> model_folders() {
  if (const auto given = folder_from("FYE_MODELS")) return {*given};
  auto folders = beside_us("models");
  if (auto users = user_model_folder()) folders.push_back(*std::move(users));
  return folders;
}

Result<fs::path> user_model_folder() {
  if (const auto given = folder_from("FYE_MODELS")) return *given;
  // The XDG base directory specification: a relative path there doesn't count.
  if (const auto data = folder_from("XDG_DATA_HOME"); data && data->is_absolute())
    return *data / "fye/models";
  if (const auto home = folder_from("HOME")) return *home / ".local/share/fye/models";
  return bad_input("there is no folder for models: neither FYE_MODELS nor HOME is set",
                   "set FYE_MODELS to the folder that is to have them");
}

Result<fs::path> find_tool(std::string_view name) {
  const auto given = folder_from("FYE_TOOLS");
  const auto folders = given ? std::vector<fs::path>{*given} : beside_us("tools");
  for (const fs::path& folder : folders) {
    std::error_code problem;
    if (fs::is_regular_file(folder / name, problem)) return fs::weakly_canonical(folder / name, problem);
  }
  return bad_input(fmt::format("{} is not there, which fye brings along; looked in {}", name,
                               folders.front().lexically_normal().string()),
                   "install fye by cmake --install, or set FYE_TOOLS to the folder tools of its source");
}

}  // namespace fye
