// fye resize IN -o OUT
#include "image/resize.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>

#include "cli/interrupt.h"
#include "cli/output_name.h"
#include "cli/parse.h"
#include "cli/side_by_side.h"
#include "cli/verb.h"
#include "image/file.h"

namespace fye {
namespace {

struct ResizeFlags {
  std::string input, output, size, scale, crop;
  int quality = 95;
};

// The size asked for, and the picture cut to a whole multiple where a ratio like 1/3 needs it (spec:
// "modcrop").
Result<Size> target(const ResizeFlags& options, Picture& picture) {
  if (!options.size.empty()) return parse_size("--size", options.size);
  if (options.scale.empty()) return Size{picture.width, picture.height};
  const auto ratio = parse_ratio("--scale", options.scale);
  if (!ratio) return ratio.error();
  if (ratio->up == 1 && ratio->down == static_cast<int>(ratio->down)) {
    const int multiple = static_cast<int>(ratio->down);
    const Size kept{picture.width / multiple * multiple, picture.height / multiple * multiple};
    if (kept.width < 1 || kept.height < 1)
      return bad_input(fmt::format("{}: {}x{} is too small for --scale {}", options.input, picture.width,
                                   picture.height, options.scale));
    auto part = cropped(picture, {kept, Size{0, 0}});
    if (!part) return part.error();
    picture = *std::move(part);
  }
  return Size{ratio->of(picture.width), ratio->of(picture.height)};
}

Status resize(const ResizeFlags& options) {
  if (!options.size.empty() && !options.scale.empty())
    return usage_error("--size and --scale: both were given", "leave one of them out");
  OutputRequest request{.input = options.input, .output = options.output, .by_option = true};
  const auto output = output_path(request);
  if (!output) return output.error();
  auto picture = read_picture(options.input);
  if (!picture) return picture.error();
  if (!options.crop.empty()) {
    const auto crop = parse_crop("--crop", options.crop);
    if (!crop) return crop.error();
    auto part = cropped(*picture, *crop);
    if (!part) return Error{part.error().code, "--crop: " + part.error().what, ""};
    *picture = *std::move(part);
  }
  const auto size = target(options, *picture);
  if (!size) return size.error();
  const bool same = size->width == picture->width && size->height == picture->height;
  if (!same && picture->bits != 8) {
    return bad_input(fmt::format("{}: {} bits a sample; MATLAB's form of the test sets is for 8",
                                 options.input, picture->bits));
  }
  Picture result = same ? *std::move(picture) : matlab_bicubic(*picture, size->width, size->height);
  if (!same) result.metadata = picture->metadata;
  const FinishWriting uninterrupted;
  const auto lost = write_picture(result, *output, {options.quality});
  if (!lost) return lost.error();
  for (const std::string& notice : *lost) spdlog::warn("note: {}", notice);
  return {};
}

}  // namespace

Run add_resize(CLI::App& app) {
  auto options = std::make_shared<ResizeFlags>();
  ResizeFlags& o = *options;
  app.add_option("IN", o.input, "picture to resize")->required();
  app.add_option("-o,--output", o.output, "picture to write (.png .jpg .webp .tif)")->required();
  app.add_option("--crop", o.crop, "first cut out WxH (the middle) or WxH+X+Y");
  app.add_option("--size", o.size, "size to make, WxH");
  app.add_option("-s,--scale", o.scale,
                 "1/2, 1/3, 0.25, 2: ratio; 1/N first cuts the right and lower edge to a multiple of N");
  app.add_option("--quality", o.quality, "of JPEG and WebP files")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.footer(
      R"(Antialiased bicubic, pixel for pixel what MATLAB's imresize made of the usual test sets: 8 bit, rounded between
rows and columns. For looks rather than for test sets, enlarge with fye up.

Examples:
  fye resize photo.png -o small.png --scale 1/3
  fye resize photo.jpg -o part.png --crop 1500x999+200+100
  fye resize small.png -o bicubic.png --scale 3)");
  return [options] { return resize(*options); };
}

}  // namespace fye
