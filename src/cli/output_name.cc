#include "cli/output_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "cli/film.h"
#include "cli/interrupt.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kExtensions = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"};

// The first of NAME_2.EXT, NAME_3.EXT, ... that is free.
fs::path free_name(const fs::path& path) {
  std::error_code ignored;
  for (int number = 2;; ++number) {
    fs::path other = path;
    other.replace_filename(fmt::format("{}_{}{}", path.stem().string(), number, path.extension().string()));
    if (!fs::exists(other, ignored)) return other;
  }
}

}  // namespace

bool is_writable_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

Result<fs::path> output_path(const OutputRequest& request) {
  std::error_code ignored;
  if (request.in_place) {
    if (!request.output.empty())
      return usage_error("--in-place: an output was given as well", "leave one of them out");
    return request.input;
  }
  const bool keep = request.format.empty() || request.film;
  const fs::path made = fmt::format("{}{}{}", request.input.stem().string(), request.suffix,
                                    keep ? request.input.extension().string() : "." + request.format);
  fs::path output = request.output;
  bool named = request.by_option;
  if (output.empty()) {
    output = request.input.parent_path() / made;
    named = false;
  } else if (fs::is_directory(output, ignored)) {
    output /= made;
    named = false;
  }
  if (!output.has_filename())
    return bad_input(fmt::format("{}: there is no such folder", output.string()), "create the folder first");
  if (request.film ? !is_film_name(output) : !is_writable_picture(output)) {
    return usage_error(fmt::format("{}: the extension names no format that fye writes", output.string()),
                       request.film ? "a film goes to .mkv, .mp4, .webm or .mov" : "use .png, .jpg, .webp or .tif");
  }
  if (fs::exists(output, ignored)) {
    if (fs::equivalent(output, request.input, ignored))
      return usage_error(fmt::format("{}: is the input itself", output.string()),
                         "say --in-place to replace it");
    if (request.if_exists == IfExists::skip) return fs::path();
    if (request.if_exists == IfExists::rename) {
      output = free_name(output);
    } else if (request.if_exists == IfExists::error || (request.if_exists == IfExists::automatic && !named)) {
      return usage_error(fmt::format("{}: is there already", output.string()),
                         request.if_exists == IfExists::error
                             ? "choose another name"
                             : "name it with -o, or say --if-exists overwrite");
    }
  }
  // Created and dropped again: an error now rather than after the work.
  const FinishWriting uninterrupted;
  const auto probe = PendingFile::create(output);
  if (!probe) return probe.error();
  return output;
}

}  // namespace fye
