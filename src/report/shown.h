// Shown: a picture, or the part of it that a page can carry, as a lossless file for browsers.
#pragma once

#include <filesystem>
#include <optional>

#include "base/result.h"
#include "image/picture.h"
#include "report/page.h"

namespace fye {

// In pixels of the picture that goes in.
struct Window {
  int left = 0, top = 0, width = 0, height = 0;
  bool operator==(const Window&) const = default;
};

// The most pixels of a picture on a page: about as many as a large screen has. WebP of that takes seconds to write and
// 2 to 6 MB.
inline constexpr int64_t kMostShown = 4'000'000;

// WebP's longest side (RFC 9649, section 3.4: 14 bits).
inline constexpr int kMostSide = 16383;

// What is shown of a picture of width x height that is enlarged `scale` times: all of it, or, where that is more than
// kMostShown or longer than kMostSide, as much as fits from the middle.
Window window_for(int width, int height, int scale);

// Errors: the window does not lie inside a picture of width x height, or it is more than kMostShown or kMostSide when
// enlarged.
Status check_window(const Window& window, int width, int height, int scale);

// `window` times `scale` of the picture: WebP without loss, at 8 bit, with the colour profile and without what else
// the file said (places, names, serial numbers). `beside`: a temporary file is written there and removed again.
Result<PagePicture> shown(const Picture& picture, const Window& window, int scale,
                          const std::filesystem::path& beside);

}  // namespace fye
