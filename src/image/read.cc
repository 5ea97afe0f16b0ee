// Picture files in: opened and checked (image/open.h), then the pixels in strips. Tested by
// round_trip_test.cc, kinds_test.cc and must_fail_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "image/exif.h"
#include "image/file.h"
#include "image/open.h"
#include "image/orientation.h"
#include "image/vips.h"

namespace fye {
namespace {

// Rows decoded at a time: a JPEG's largest block row is 16 to 32, a TIFF strip is often 64 or more.
constexpr int kStrip = 64;

// Appends the rows strip by strip, so that memory is touched only for pixels that the file really holds.
Status decode(const std::string& name, VipsImage* image, VipsSource* source, Picture& picture) {
  const RegionRef region(vips_region_new(image));
  const size_t row = VIPS_IMAGE_SIZEOF_LINE(image);
  picture.bytes.reserve(row * picture.height);
  for (int top = 0; top < picture.height; top += kStrip) {
    const VipsRect strip{0, top, picture.width, std::min(kStrip, picture.height - top)};
    if (!region || vips_region_prepare(region.get(), &strip) != 0) {
      return bad_input(
          fmt::format("{}: truncated or corrupt near row {}: {}", name, top, reason_and_place(source)));
    }
    for (int y = 0; y < strip.height; ++y) {
      const VipsPel* line = VIPS_REGION_ADDR(region.get(), 0, top + y);
      picture.bytes.insert(picture.bytes.end(), line, line + row);
    }
  }
  return {};
}

Result<Picture> read(const std::filesystem::path& path, const ReadLimits& limits) {
  const std::string name = path.string();
  auto opened = open_checked(path, limits);
  if (!opened) return opened.error();
  if (auto ok = check_pages(name, *opened); !ok) return ok.error();

  auto image = as_rgb_or_grey(name, std::move(opened->image), opened->metadata);
  if (!image) return image.error();
  VipsImage* pixels = image->get();
  Picture picture;
  picture.width = vips_image_get_width(pixels);
  picture.height = vips_image_get_height(pixels);
  picture.channels = vips_image_get_bands(pixels);
  picture.bits = vips_image_get_format(pixels) == VIPS_FORMAT_USHORT ? 16 : 8;
  picture.metadata = std::move(opened->metadata);
  if (auto ok = decode(name, pixels, opened->source.get(), picture); !ok) return ok.error();
  if (opened->orientation != 1) reset_orientation(picture.metadata.exif);
  return upright(std::move(picture), opened->orientation);
}

}  // namespace

Result<PictureInfo> probe_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  auto opened = open_checked(path, limits);
  if (!opened) return opened.error();
  return opened->info;
}

Result<Picture> read_picture(const std::filesystem::path& path, const ReadLimits& limits) {
  try {
    return read(path, limits);
  } catch (const std::bad_alloc&) {
    return resource_error(path.string() + ": not enough memory to read it");
  }
}

}  // namespace fye
