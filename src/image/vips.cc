#include "image/vips.h"

#include <mutex>
#include <string_view>

namespace fye {
namespace {

void say_nothing(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

Status start() {
  // libvips would load plug-ins for ImageMagick, Poppler, OpenSlide, ... (half of its start-up time, and code
  // that fye never wants to run) from a folder below this one. It sets this variable itself if nobody has.
  const bool ours = g_getenv("VIPSHOME") == nullptr;
  if (ours) g_setenv("VIPSHOME", "/nonexistent", TRUE);
  const bool failed = VIPS_INIT("fye") != 0;
  if (ours) g_unsetenv("VIPSHOME");
  if (failed) return internal_error("libvips does not start: " + vips_reason());
  vips_concurrency_set(1);  // threads are ours (design.md, "Threads")
  vips_cache_set_max(0);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const char* name :
       {"VipsForeignLoadPng", "VipsForeignLoadJpeg", "VipsForeignLoadWebp", "VipsForeignLoadTiff"}) {
    vips_operation_block_set(name, FALSE);
  }
  // Warnings of codecs are not for stderr: what matters comes back as an error.
  g_log_set_handler("VIPS",
                    static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE),
                    say_nothing, nullptr);
  return {};
}

}  // namespace

Status start_vips() {
  static std::once_flag once;
  static Status status;
  std::call_once(once, [] { status = start(); });
  return status;
}

std::string vips_reason() {
  const std::unique_ptr<char, decltype(&g_free)> copy(vips_error_buffer_copy(), g_free);  // clears the buffer
  const std::string all = copy.get();
  // Lines of "operation: reason", the deepest cause first; repeated lines are common.
  std::string result;
  size_t at = 0;
  while (at < all.size()) {
    const size_t end = std::min(all.find('\n', at), all.size());
    std::string_view line(all.data() + at, end - at);
    at = end + 1;
    const size_t colon = line.find(": ");
    if (colon != line.npos && line.substr(0, colon).find(' ') == line.npos) line.remove_prefix(colon + 2);
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
    if (line.empty() || result.find(line) != std::string::npos) continue;
    if (!result.empty()) result += "; ";
    result += line;
  }
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return result.empty() ? "the decoder gave no reason; the header may be damaged" : result;
}

}  // namespace fye
