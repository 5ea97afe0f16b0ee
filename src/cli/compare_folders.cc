#include "cli/compare_folders.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

bool looks_like_a_picture(const fs::directory_entry& entry) {
  std::error_code problem;
  if (!entry.is_regular_file(problem) || entry.path().filename().string().starts_with('.')) return false;
  std::string extension = entry.path().extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const char* known : {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"}) {
    if (extension == known) return true;
  }
  return probe_picture(entry.path()).ok();
}

Result<std::map<std::string, fs::path>> pictures_of(const fs::path& folder) {
  std::map<std::string, fs::path> found;
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    if (!looks_like_a_picture(*entry)) continue;
    const fs::path& path = entry->path();
    const auto [other, is_new] = found.emplace(path.stem().string(), path);
    if (!is_new) {
      const auto names = std::minmax({other->second.filename().string(), path.filename().string()});
      return bad_input(
          fmt::format("{}: {} and {} have the same name", folder.string(), names.first, names.second),
          "pictures are matched by their names without extension; keep one of the two");
    }
  }
  if (problem) return bad_input(fmt::format("{}: {}", folder.string(), problem.message()));
  if (found.empty())
    return bad_input(fmt::format("{}: there are no pictures in this folder", folder.string()));
  return found;
}

}  // namespace

Result<MatchedFolders> match_folders(const fs::path& originals, const fs::path& pictures) {
  const auto left = pictures_of(originals);
  if (!left) return left.error();
  const auto right = pictures_of(pictures);
  if (!right) return right.error();
  MatchedFolders matched;
  for (const auto& [name, path] : *left) {
    const auto partner = right->find(name);
    if (partner == right->end()) {
      matched.alone.push_back(path);
    } else {
      matched.pairs.emplace_back(path, partner->second);
    }
  }
  for (const auto& [name, path] : *right) {
    if (!left->contains(name)) matched.alone.push_back(path);
  }
  if (matched.pairs.empty()) {
    return bad_input(fmt::format("{} and {}: no picture has a partner of the same name", originals.string(),
                                 pictures.string()),
                     "pictures are matched by their names without extension: a.png and a.jpg");
  }
  return matched;
}

}  // namespace fye
