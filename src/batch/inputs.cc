// Tested by batch/inputs_test.cc.
#include "batch/inputs.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <iterator>
#include <system_error>

#include "image/file.h"
#include "video/sniff.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// What is listed as failed, rather than passed over, when it can't be read.
constexpr std::array<std::string_view, 17> kPictureExtensions = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".gif",
    ".bmp", ".avif", ".heic", ".heif", ".jxl", ".jp2", ".ppm", ".pgm"};

constexpr size_t kLongestList = size_t{64} << 20;

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_media(const fs::path& path) {
  return has_media_extension(path) || looks_like_film(path) || probe_picture(path).ok();
}

class Walker {
 public:
  Walker(const WalkOptions& options, Inputs& found) : options_(options), found_(found) {}

  // False if the folder can't be read.
  std::error_code folder(const fs::path& path, const fs::path& relative) {
    std::error_code problem;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(path, problem), end; !problem && at != end; at.increment(problem))
      entries.push_back(*at);
    if (problem) return problem;
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) visit(entry, relative / entry.path().filename());
    return {};
  }

 private:
  void visit(const fs::directory_entry& entry, const fs::path& relative) {
    if (hidden(entry.path())) return;
    std::error_code ignored;
    if (entry.is_directory(ignored)) {
      if (!options_.recursive || entry.is_symlink(ignored)) return;
      if (!options_.leave_out.empty() && fs::equivalent(entry.path(), options_.leave_out, ignored)) return;
      if (const auto problem = folder(entry.path(), relative); problem)
        found_.notes.push_back(fmt::format("{}: can't be read: {}", entry.path().string(), problem.message()));
    } else if (entry.is_regular_file(ignored) && is_media(entry.path())) {
      found_.files.push_back({entry.path(), relative});
    } else {
      ++found_.ignored;
    }
  }

  const WalkOptions& options_;
  Inputs& found_;
};

struct Matches {
  glob_t value{};
  ~Matches() { globfree(&value); }
};

}  // namespace

bool has_media_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(kPictureExtensions.begin(), kPictureExtensions.end(), extension) != kPictureExtensions.end() ||
         has_film_extension(path);
}

Result<Inputs> walk(const fs::path& folder, const WalkOptions& options) {
  Inputs found;
  if (const auto problem = Walker(options, found).folder(folder, {}); problem)
    return bad_input(fmt::format("{}: can't be read: {}", folder.string(), problem.message()));
  return found;
}

bool is_pattern(const std::string& text) {
  std::error_code ignored;
  return text.find_first_of("*?[") != std::string::npos && !fs::exists(text, ignored);
}

Result<Inputs> expand(const std::string& pattern, const WalkOptions& options) {
  Matches matches;
  const int problem = glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &matches.value);
  if (problem == GLOB_NOMATCH) return bad_input(fmt::format("{}: no file matches this pattern", pattern));
  if (problem) return bad_input(fmt::format("{}: a folder of this pattern can't be read", pattern));
  Inputs found;
  for (size_t i = 0; i < matches.value.gl_pathc; ++i) {
    const fs::path path = matches.value.gl_pathv[i];
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      found.files.push_back({path, path.filename()});
    } else if (options.recursive) {
      if (const auto unread = Walker(options, found).folder(path, path.filename()); unread)
        found.notes.push_back(fmt::format("{}: can't be read: {}", path.string(), unread.message()));
    }
  }
  return found;
}

Result<std::vector<std::string>> read_list(std::istream& list, const std::string& name) {
  std::string text;
  for (std::array<char, 1 << 16> block; list.read(block.data(), block.size()), list.gcount() > 0;) {
    text.append(block.data(), size_t(list.gcount()));
    if (text.size() > kLongestList) return bad_input(fmt::format("{}: a list of more than 64 MB", name));
  }
  const char end = text.find('\0') == std::string::npos ? '\n' : '\0';
  std::vector<std::string> names;
  size_t line = 0;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t stop = std::min(text.find(end, at), text.size());
    std::string one = text.substr(at, stop - at);
    at = stop + 1;
    if (end == '\n' && one.ends_with('\r')) one.pop_back();
    if (one.size() >= PATH_MAX)
      return bad_input(fmt::format("{}: line {} is {} bytes long, no file name", name, line + 1, one.size()),
                       "a list has one file name a line");
    if (!one.empty()) names.push_back(std::move(one));
  }
  return names;
}

}  // namespace fye
