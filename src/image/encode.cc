// Tested by round_trip_test.cc, metadata_test.cc, rows_test.cc and must_fail_write_test.cc.
#include "image/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "image/alpha.h"
#include "image/container.h"
#include "image/depth.h"
#include "image/exif.h"

namespace fye {
namespace {

using Notices = std::vector<std::string>;

// libjpeg's JPEG_MAX_DIMENSION; WebP's 14-bit sizes.
constexpr int kJpegSide = 65'500, kWebpSide = 16'383;

// On three pictures (a photograph, one enlarged twofold, pixel art) level 3 with the average filter took a
// third of the time of level 6 with all filters for 0 to 10 % more bytes, and beat all filters at level 3 in
// both.
constexpr int kPngLevel = 3;
constexpr auto kPngFilter = VIPS_FOREIGN_PNG_FILTER_AVG;

// TIFF has to state a resolution: the customary 72 per inch.
constexpr double kTiffDefault = 72 / 25.4;

// Classic TIFF has 32-bit offsets; half of that leaves room for what compression adds at worst.
constexpr size_t kBigTiffFrom = size_t(1) << 31;

void set_blob(VipsImage* image, const char* field, const std::string& bytes) {
  if (!bytes.empty()) vips_image_set_blob_copy(image, field, bytes.data(), bytes.size());
}

// The file's beginning up to the pixels is there: PNG's first IDAT chunk, JPEG's first marker.
bool has_head(std::string_view bytes, PictureFormat format) {
  if (format == PictureFormat::jpeg) return bytes.size() >= 2;
  constexpr size_t kSignature = 8, kChunk = 12;  // a chunk's length, type and CRC
  for (size_t at = kSignature; at + kChunk <= bytes.size();) {
    if (bytes.substr(at + 4, 4) == "IDAT") return true;
    uint64_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | uint8_t(bytes[at + size_t(i)]);
    at += kChunk + length;
  }
  return false;
}

// WebP's sizes stand before everything: it is encoded into memory.
bool put_webp(VipsImage* image, int quality, const Metadata& metadata, FileTarget& target, Notices& notices) {
  void* data = nullptr;
  size_t size = 0;
  if (vips_webpsave_buffer(image, &data, &size, "Q", quality, "lossless", quality == 100, nullptr) != 0)
    return false;
  const std::unique_ptr<void, void (*)(void*)> owned(data, g_free);
  Picture about;  // everything but the pixels
  about.width = vips_image_get_width(image);
  about.height = vips_image_get_height(image);
  about.channels = vips_image_get_bands(image);
  about.metadata = metadata;
  return target.put(webp_with_metadata({static_cast<const char*>(data), size}, about, notices));
}

}  // namespace

Result<PictureFormat> format_to_write(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension == ".png") return PictureFormat::png;
  if (extension == ".jpg" || extension == ".jpeg") return PictureFormat::jpeg;
  if (extension == ".webp") return PictureFormat::webp;
  if (extension == ".tif" || extension == ".tiff") return PictureFormat::tiff;
  return usage_error(path.string() + ": the extension names no format that fye writes",
                     "use .png, .jpg, .webp or .tif");
}

Status check_writable(const std::string& name, const RowFormat& rows, PictureFormat format,
                      const WriteOptions& options) {
  if (rows.width < 1 || rows.height < 1 || rows.channels < 1 || rows.channels > 4 ||
      (rows.bits != 8 && rows.bits != 16)) {
    return internal_error(fmt::format("{}: a picture of {}x{}, {} channels and {} bit can't be written", name,
                                      rows.width, rows.height, rows.channels, rows.bits));
  }
  if (options.quality < 1 || options.quality > 100) {
    return usage_error(fmt::format("quality {}: must be 1 to 100", options.quality));
  }
  const int side = std::max(rows.width, rows.height);
  const int most = format == PictureFormat::jpeg   ? kJpegSide
                   : format == PictureFormat::webp ? kWebpSide
                                                   : side;
  if (side > most) {
    return usage_error(fmt::format("{}: {}x{} pixels; {} holds at most {} a side", name, rows.width,
                                   rows.height, fye::name(format), most),
                       "write PNG or TIFF");
  }
  return {};
}

RowFormat Reduction::of(RowFormat rows) const {
  if (flatten) --rows.channels;
  if (narrow) rows.bits = 8;
  return rows;
}

Picture Reduction::of(const Picture& picture) const {
  Picture made = flatten ? over_white(picture) : picture;
  return narrow ? to_8_bit(std::move(made)) : made;
}

Notices Reduction::notices(PictureFormat format) const {
  Notices said;
  if (flatten) said.push_back("JPEG has no alpha: the picture was laid over white");
  if (narrow) said.push_back(fye::name(format) + " has 8 bits a sample: 16 were rounded to 8");
  return said;
}

Reduction reduction_for(const RowFormat& rows, PictureFormat format) {
  const bool jpeg = format == PictureFormat::jpeg;
  return {.flatten = jpeg && rows.channels % 2 == 0,
          .narrow = (jpeg || format == PictureFormat::webp) && rows.bits == 16};
}

void describe(VipsImage* image, const RowFormat& rows, const Metadata& metadata) {
  const bool grey = rows.channels < 3;
  image->Type = rows.bits == 16 ? (grey ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16)
                                : (grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB);
  const bool stated = metadata.pixels_per_mm_x > 0 && metadata.pixels_per_mm_y > 0;
  image->Xres = stated ? metadata.pixels_per_mm_x : kTiffDefault;
  image->Yres = stated ? metadata.pixels_per_mm_y : kTiffDefault;
  set_blob(image, VIPS_META_ICC_NAME, metadata.icc);
  set_blob(image, VIPS_META_XMP_NAME, metadata.xmp);
}

Status encode(const std::string& name, VipsImage* image, PictureFormat format, int quality, bool small,
              const Metadata& metadata, FileTarget& target, Notices& notices) {
  Metadata sized = metadata;
  set_dimensions(sized.exif, vips_image_get_width(image), vips_image_get_height(image));
  bool done = false;
  switch (format) {
    case PictureFormat::png:
      target.rewrite_head([](std::string_view bytes) { return has_head(bytes, PictureFormat::png); },
                          [&](std::string_view head) { return png_with_metadata(head, sized, notices); });
      done = vips_pngsave_target(image, target.vips(), "compression", kPngLevel, "filter", kPngFilter,
                                 nullptr) == 0;
      break;
    case PictureFormat::jpeg:
      target.rewrite_head([](std::string_view bytes) { return has_head(bytes, PictureFormat::jpeg); },
                          [&](std::string_view head) { return jpeg_with_metadata(head, sized, notices); });
      done = vips_jpegsave_target(image, target.vips(), "Q", quality, "optimize_coding", small, "strip", TRUE,
                                  nullptr) == 0;
      break;
    case PictureFormat::webp:
      done = put_webp(image, quality, sized, target, notices);
      break;
    case PictureFormat::tiff:
      if (!sized.exif.empty()) notices.push_back("EXIF is left out: fye does not write it to TIFF");
      if (!sized.iptc.empty()) notices.push_back("IPTC is left out: fye does not write it to TIFF");
      done = vips_tiffsave_target(image, target.vips(), "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                                  "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "bigtiff",
                                  VIPS_IMAGE_SIZEOF_IMAGE(image) > kBigTiffFrom, nullptr) == 0;
      break;
  }
  const std::string reason = vips_reason();
  if (target.failed()) return target.error();
  if (done) return {};
  return resource_error(fmt::format("{}: can't be encoded as {}: {}", name, fye::name(format), reason));
}

}  // namespace fye
