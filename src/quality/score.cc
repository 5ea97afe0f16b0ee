#include "quality/score.h"

#include <fmt/format.h>

#include <algorithm>

namespace fye {

Status check_pair(const Picture& a, const Picture& b, int shave, int least) {
  if (a.width != b.width || a.height != b.height) {
    return bad_input(
        fmt::format("the pictures differ in size: {}x{} and {}x{}", a.width, a.height, b.width, b.height),
        "scores compare pictures pixel by pixel; crop or resize one of them first");
  }
  return check_shave(a, shave, least);
}

Status check_shave(const Picture& picture, int shave, int least) {
  if (shave < 0) return usage_error(fmt::format("shave {}: must not be negative", shave));
  const int64_t side = std::min(picture.width, picture.height) - 2 * int64_t(shave);
  if (side < least) {
    return bad_input(
        fmt::format("pictures of {}x{} with {} pixels shaved off each side are too small: {}x{} is the least",
                    picture.width, picture.height, shave, least, least));
  }
  return {};
}

Picture shaved(const Picture& picture, int shave) {
  if (shave == 0) return picture;
  Picture result(picture.width - 2 * shave, picture.height - 2 * shave, picture.channels, picture.bits);
  const size_t pixel = size_t(picture.channels) * (picture.bits / 8);
  for (int y = 0; y < result.height; ++y) {
    const uint8_t* from = picture.bytes.data() + (size_t(y + shave) * picture.width + shave) * pixel;
    std::copy_n(from, result.width * pixel, result.bytes.data() + size_t(y) * result.width * pixel);
  }
  return result;
}

namespace {
constexpr std::string_view kNotInstalled = "not installed";
}

Error not_installed(std::string_view command) {
  return bad_input(fmt::format("{}: run {}", kNotInstalled, command));
}

bool is_not_installed(const Error& error) { return error.what.find(kNotInstalled) != std::string::npos; }

}  // namespace fye
