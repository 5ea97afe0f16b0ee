#include "cli/output_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "cli/interrupt.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kExtensions = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"};

bool writable_format(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace

Result<fs::path> output_path(const OutputRequest& request) {
  std::error_code ignored;
  if (request.in_place) {
    if (!request.output.empty())
      return usage_error("--in-place: an output was given as well", "leave one of them out");
    return request.input;
  }
  const fs::path made =
      fmt::format("{}_fye_x{}{}", request.input.stem().string(), request.scale,
                  request.format.empty() ? request.input.extension().string() : "." + request.format);
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
  if (!writable_format(output)) {
    return usage_error(fmt::format("{}: the extension names no format that fye writes", output.string()),
                       "use .png, .jpg, .webp or .tif");
  }
  if (fs::exists(output, ignored)) {
    if (fs::equivalent(output, request.input, ignored))
      return usage_error(fmt::format("{}: is the input itself", output.string()),
                         "say --in-place to replace it");
    if (request.if_exists == IfExists::error || (request.if_exists == IfExists::automatic && !named)) {
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
