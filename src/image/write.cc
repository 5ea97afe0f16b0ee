// Picture files out: libvips encodes into memory, fye adds the metadata byte for byte and puts the file in
// place complete or not at all. Tested by round_trip_test.cc, metadata_test.cc and must_fail_write_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <optional>

#include "base/file.h"
#include "image/alpha.h"
#include "image/container.h"
#include "image/depth.h"
#include "image/exif.h"
#include "image/file.h"
#include "image/sniff.h"
#include "image/vips.h"

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

std::optional<PictureFormat> format_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (extension == ".png") return PictureFormat::png;
  if (extension == ".jpg" || extension == ".jpeg") return PictureFormat::jpeg;
  if (extension == ".webp") return PictureFormat::webp;
  if (extension == ".tif" || extension == ".tiff") return PictureFormat::tiff;
  return {};
}

Status check(const std::string& name, const Picture& picture, PictureFormat format,
             const WriteOptions& options) {
  if (picture.width < 1 || picture.height < 1 || picture.channels < 1 || picture.channels > 4 ||
      (picture.bits != 8 && picture.bits != 16) ||
      picture.bytes.size() != picture.samples() * (picture.bits / 8)) {
    return internal_error(
        fmt::format("{}: a picture of {}x{}, {} channels, {} bit and {} bytes can't be written", name,
                    picture.width, picture.height, picture.channels, picture.bits, picture.bytes.size()));
  }
  if (options.quality < 1 || options.quality > 100) {
    return usage_error(fmt::format("quality {}: must be 1 to 100", options.quality));
  }
  const int side = std::max(picture.width, picture.height);
  const int most = format == PictureFormat::jpeg   ? kJpegSide
                   : format == PictureFormat::webp ? kWebpSide
                                                   : side;
  if (side > most) {
    return usage_error(fmt::format("{}: {}x{} pixels; {} holds at most {} a side", name, picture.width,
                                   picture.height, fye::name(format), most),
                       "write PNG or TIFF");
  }
  return {};
}

// What of the picture the format can hold; the rest becomes notices. No copy where nothing changes.
std::optional<Picture> reduced(const Picture& picture, PictureFormat format, Notices& notices) {
  const bool flatten = format == PictureFormat::jpeg && picture.has_alpha();
  const bool narrow = (format == PictureFormat::jpeg || format == PictureFormat::webp) && picture.bits == 16;
  if (!flatten && !narrow) return {};
  if (flatten) notices.push_back("JPEG has no alpha: the picture was laid over white");
  if (narrow) notices.push_back(fye::name(format) + " has 8 bits a sample: 16 were rounded to 8");
  return to_8_bit(flatten ? over_white(picture) : picture);
}

void set_blob(VipsImage* image, const char* field, const std::string& bytes) {
  if (!bytes.empty()) vips_image_set_blob_copy(image, field, bytes.data(), bytes.size());
}

// A libvips image over the picture's own pixels, with the blocks that libvips writes untouched (its IPTC in
// TIFF is cut to a quarter, its EXIF rewritten).
ImageRef wrap(const Picture& picture) {
  ImageRef image(vips_image_new_from_memory(picture.bytes.data(), picture.bytes.size(), picture.width,
                                            picture.height, picture.channels,
                                            picture.bits == 16 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
  if (!image) return image;
  const bool grey = picture.channels < 3;
  image->Type = picture.bits == 16 ? (grey ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16)
                                   : (grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB);
  const Metadata& metadata = picture.metadata;
  const bool stated = metadata.pixels_per_mm_x > 0 && metadata.pixels_per_mm_y > 0;
  image->Xres = stated ? metadata.pixels_per_mm_x : kTiffDefault;
  image->Yres = stated ? metadata.pixels_per_mm_y : kTiffDefault;
  set_blob(image.get(), VIPS_META_ICC_NAME, metadata.icc);
  set_blob(image.get(), VIPS_META_XMP_NAME, metadata.xmp);
  return image;
}

struct Encoded {
  std::unique_ptr<void, void (*)(void*)> data{nullptr, g_free};
  size_t size = 0;
};

std::optional<Encoded> encode(VipsImage* image, PictureFormat format, int quality) {
  void* data = nullptr;
  size_t size = 0;
  int failed = 0;
  switch (format) {
    case PictureFormat::png:
      failed =
          vips_pngsave_buffer(image, &data, &size, "compression", kPngLevel, "filter", kPngFilter, nullptr);
      break;
    case PictureFormat::jpeg:
      failed = vips_jpegsave_buffer(image, &data, &size, "Q", quality, "optimize_coding", TRUE, "strip", TRUE,
                                    nullptr);
      break;
    case PictureFormat::webp:
      failed = vips_webpsave_buffer(image, &data, &size, "Q", quality, "lossless", quality == 100, nullptr);
      break;
    case PictureFormat::tiff:
      failed = vips_tiffsave_buffer(image, &data, &size, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                                    "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "bigtiff",
                                    VIPS_IMAGE_SIZEOF_IMAGE(image) > kBigTiffFrom, nullptr);
      break;
  }
  if (failed) return {};
  Encoded encoded;
  encoded.data.reset(data);
  encoded.size = size;
  return encoded;
}

std::string with_metadata(std::string_view file, const Picture& picture, PictureFormat format,
                          Notices& notices) {
  switch (format) {
    case PictureFormat::png:
      return png_with_metadata(file, picture.metadata, notices);
    case PictureFormat::jpeg:
      return jpeg_with_metadata(file, picture.metadata, notices);
    case PictureFormat::webp:
      return webp_with_metadata(file, picture, notices);
    case PictureFormat::tiff:
      break;
  }
  if (!picture.metadata.exif.empty()) notices.push_back("EXIF is left out: fye does not write it to TIFF");
  if (!picture.metadata.iptc.empty()) notices.push_back("IPTC is left out: fye does not write it to TIFF");
  return std::string(file);
}

Result<Notices> write(const Picture& picture, const std::filesystem::path& path, PictureFormat format,
                      int quality) {
  const std::string name = path.string();
  Notices notices = picture.metadata.lost;
  std::optional<Picture> copy = reduced(picture, format, notices);
  const Picture& kept = copy ? *copy : picture;
  const ImageRef image = wrap(kept);
  const auto encoded = image ? encode(image.get(), format, quality) : std::nullopt;
  if (!encoded) {
    return resource_error(
        fmt::format("{}: can't be encoded as {}: {}", name, fye::name(format), vips_reason()));
  }
  Picture about;  // what with_metadata needs: everything but the pixels
  about.width = kept.width;
  about.height = kept.height;
  about.channels = kept.channels;
  about.metadata = kept.metadata;
  set_dimensions(about.metadata.exif, kept.width, kept.height);
  const std::string file =
      with_metadata({static_cast<const char*>(encoded->data.get()), encoded->size}, about, format, notices);
  if (auto ok = write_file(path, file); !ok) return ok.error();
  return notices;
}

}  // namespace

Result<std::vector<std::string>> write_picture(const Picture& picture, const std::filesystem::path& path,
                                               const WriteOptions& options) {
  if (auto started = start_vips(); !started) return started.error();
  const std::string name = path.string();
  const auto format = format_of(path);
  if (!format) {
    return usage_error(name + ": the extension names no format that fye writes",
                       "use .png, .jpg, .webp or .tif");
  }
  if (auto ok = check(name, picture, *format, options); !ok) return ok.error();
  try {
    return write(picture, path, *format, options.quality);
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
