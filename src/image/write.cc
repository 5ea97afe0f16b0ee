// Picture files out, whole: what the format can hold, encoded into a file that appears complete or not at
// all. Tested by round_trip_test.cc, metadata_test.cc and must_fail_write_test.cc.
#include <fmt/format.h>

#include <new>
#include <optional>

#include "image/encode.h"
#include "image/file.h"
#include "image/vips.h"

namespace fye {
namespace {

using Notices = std::vector<std::string>;

Result<Notices> write(const Picture& picture, const RowFormat& rows, const std::filesystem::path& path,
                      PictureFormat format, int quality) {
  const std::string name = path.string();
  const Reduction reduction = reduction_for(rows, format);
  Notices notices = picture.metadata.lost;
  const Notices reduced = reduction.notices(format);
  notices.insert(notices.end(), reduced.begin(), reduced.end());
  std::optional<Picture> copy;
  if (reduction.any()) copy = reduction.of(picture);
  const Picture& kept = copy ? *copy : picture;
  const ImageRef image(vips_image_new_from_memory(kept.bytes.data(), kept.bytes.size(), kept.width,
                                                  kept.height, kept.channels,
                                                  kept.bits == 16 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
  if (!image) return resource_error(fmt::format("{}: can't be encoded: {}", name, vips_reason()));
  describe(image.get(), reduction.of(rows), picture.metadata);
  auto target = FileTarget::create(path);
  if (!target) return target.error();
  if (auto done = encode(name, image.get(), format, quality, true, picture.metadata, *target, notices); !done)
    return done.error();
  if (auto ok = target->commit(); !ok) return ok.error();
  return notices;
}

}  // namespace

Result<std::vector<std::string>> write_picture(const Picture& picture, const std::filesystem::path& path,
                                               const WriteOptions& options) {
  if (auto started = start_vips(); !started) return started.error();
  const std::string name = path.string();
  const auto format = format_to_write(path);
  if (!format) return format.error();
  const RowFormat rows{picture.width, picture.height, picture.channels, picture.bits};
  if (auto ok = check_writable(name, rows, *format, options); !ok) return ok.error();
  if (picture.bytes.size() != rows.row_bytes() * size_t(rows.height))
    return internal_error(fmt::format("{}: a picture of {}x{} pixels with {} bytes can't be written", name,
                                      picture.width, picture.height, picture.bytes.size()));
  try {
    return write(picture, rows, path, *format, options.quality);
  } catch (const std::bad_alloc&) {
    return resource_error(name + ": not enough memory to write it");
  }
}

std::string codecs() {
  if (auto started = start_vips(); !started) return started.error().what;
  return fmt::format("libvips {}.{}.{}, PNG, JPEG, WebP, TIFF", vips_version(0), vips_version(1),
                     vips_version(2));
}

}  // namespace fye
