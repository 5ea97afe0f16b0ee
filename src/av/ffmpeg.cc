#include "av/ffmpeg.h"

#include <fmt/format.h>

#include <array>
#include <cstdarg>
#include <mutex>

namespace fye::av {
namespace {

std::mutex guard;
std::string last_line;

// Called from FFmpeg's threads too.
void keep_line(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  std::array<char, 300> line;
  int prefix = 1;
  av_log_format_line2(object, level, format, arguments, line.data(), line.size(), &prefix);
  std::string text = line.data();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  // Addresses differ from run to run, and the film may have put control characters here.
  if (const size_t at = text.find(" @ 0x"); at != std::string::npos)
    if (const size_t end = text.find(']', at); end != std::string::npos) text.erase(at, end - at);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  const std::scoped_lock lock(guard);
  if (!text.empty()) last_line = text;
}

}  // namespace

void keep_log() {
  av_log_set_level(AV_LOG_ERROR);
  av_log_set_callback(keep_line);
}

Error error(int code, const std::string& what, const std::string& hint) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> reason = {};
  av_strerror(code, reason.data(), reason.size());
  const bool resources = code == AVERROR(ENOSPC) || code == AVERROR(ENOMEM) || code == AVERROR(EDQUOT) ||
                         code == AVERROR(EFBIG) || code == AVERROR(EIO);
  std::string why = reason.data();
  {
    // What was logged says more than the code, which is now and then a random one.
    const std::scoped_lock lock(guard);
    if (!last_line.empty() && !resources) why = last_line;
  }
  const std::string text = fmt::format("{}: {}", what, why);
  if (code == AVERROR(ENOSPC) || code == AVERROR(EDQUOT)) return resource_error(text, "free some disk space");
  return {resources ? ErrorCode::resources : ErrorCode::bad_input, text, hint};
}

}  // namespace fye::av
