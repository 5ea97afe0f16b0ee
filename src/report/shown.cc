// Tested by report/shown_test.cc.
#include "report/shown.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "image/file.h"

namespace fye {
namespace {

constexpr int kLossless = 100;  // WriteOptions::quality of WebP
// A lossless file is no larger than its pixels and a little more.
constexpr int64_t kMostFile = kMostShown * 4 + (64 << 20);

Picture part_of(const Picture& picture, const Window& window, int scale) {
  Picture part(window.width * scale, window.height * scale, picture.channels, picture.bits);
  part.metadata.icc = picture.metadata.icc;
  const size_t pixel = size_t(picture.channels) * size_t(picture.bits / 8);
  const size_t line = pixel * size_t(part.width);
  for (int y = 0; y < part.height; ++y) {
    const size_t row = size_t(window.top) * size_t(scale) + size_t(y);
    const size_t from = (row * size_t(picture.width) + size_t(window.left) * size_t(scale)) * pixel;
    std::memcpy(&part.bytes[size_t(y) * line], &picture.bytes[from], line);
  }
  return part;
}

}  // namespace

Window window_for(int width, int height, int scale) {
  const int longest = kMostSide / scale;
  Window window{0, 0, std::min(width, longest), std::min(height, longest)};
  const double pixels = double(window.width) * window.height * scale * scale;
  const double share = std::min(1., std::sqrt(double(kMostShown) / pixels));
  window.width = std::max(1, int(window.width * share));
  window.height = std::max(1, int(window.height * share));
  // A long strip: one side is already at its least.
  window.width = int(std::min(double(window.width), double(kMostShown) / scale / scale / window.height));
  window.height = int(std::min(double(window.height), double(kMostShown) / scale / scale / window.width));
  window.left = (width - window.width) / 2;
  window.top = (height - window.height) / 2;
  return window;
}

Status check_window(const Window& window, int width, int height, int scale) {
  if (window.left < 0 || window.top < 0 || window.width < 1 || window.height < 1 ||
      int64_t(window.left) + window.width > width || int64_t(window.top) + window.height > height)
    return usage_error(fmt::format("--crop {}x{}+{}+{} lies outside the picture, which is {}x{}", window.width,
                                   window.height, window.left, window.top, width, height));
  if (double(window.width) * window.height * scale * scale > double(kMostShown))
    return usage_error(fmt::format("--crop {}x{} is {} megapixels when it is enlarged; a page carries {}",
                                   window.width, window.height,
                                   int64_t(window.width) * window.height * scale * scale / 1'000'000,
                                   kMostShown / 1'000'000),
                       "choose a smaller part");
  if (std::max(window.width, window.height) > kMostSide / scale)
    return usage_error(fmt::format("--crop {}x{} is longer than {} pixels when it is enlarged", window.width,
                                   window.height, kMostSide),
                       "choose a smaller part");
  return {};
}

Result<PagePicture> shown(const Picture& picture, const Window& window, int scale,
                          const std::filesystem::path& beside) {
  std::filesystem::path name = beside;
  auto pending = PendingFile::create(name.replace_extension(".webp"));
  if (!pending) return pending.error();
  const Picture part = part_of(picture, window, scale);
  if (const auto written = write_picture(part, pending->path(), {.quality = kLossless}); !written)
    return written.error();
  auto bytes = read_file(pending->path(), kMostFile);
  if (!bytes) return bytes.error();
  return PagePicture{.width = part.width, .height = part.height, .type = "image/webp", .bytes = *std::move(bytes)};
}

}  // namespace fye
