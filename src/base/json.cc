#include "base/json.h"

#include <fmt/format.h>

#include "base/file.h"

namespace fye {
namespace {
constexpr int64_t kMaxBytes = 64 << 20;
constexpr int kMaxDepth = 64;
}  // namespace

Result<Json> read_json(const std::filesystem::path& path) {
  auto bytes = read_file(path, kMaxBytes);
  if (!bytes) return bytes.error();
  bool too_deep = false;
  auto guard = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  try {
    Json json = Json::parse(*bytes, guard);
    if (too_deep) return bad_input(fmt::format("{}: nested deeper than {} levels", path.string(), kMaxDepth));
    return json;
  } catch (const Json::exception& problem) {
    return bad_input(fmt::format("{}: not valid JSON: {}", path.string(), problem.what()));
  }
}

Status write_json(const std::filesystem::path& path, const Json& json) { return write_file(path, json.dump(1) + "\n"); }

}  // namespace fye
