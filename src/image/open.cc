// Order of checks: the file and its kind, what its header claims, the limits. Tested by round_trip_test.cc,
// kinds_test.cc and must_fail_test.cc.
#include "image/open.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/orientation.h"

namespace fye {
namespace {

// users.md, R5: a header may claim 10000 times its file's bytes only below 1 GB.
constexpr int64_t kRatioFrom = 1'000'000'000;
constexpr int64_t kRatio = 10'000;

ImageRef open_picture(VipsSource* source, PictureFormat format) {
  VipsImage* image = nullptr;
  const auto load = [&](auto loader) {
    return loader(source, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, nullptr);
  };
  int failed = 0;
  switch (format) {
    case PictureFormat::png:
      failed = load(vips_pngload_source);
      break;
    case PictureFormat::jpeg:
      failed = load(vips_jpegload_source);
      break;
    case PictureFormat::webp:
      failed = load(vips_webpload_source);
      break;
    case PictureFormat::tiff:
      failed = load(vips_tiffload_source);
      break;
  }
  return ImageRef(failed ? nullptr : image);
}

int integer_field(VipsImage* image, const char* name, int otherwise) {
  int value = otherwise;
  return vips_image_get_typeof(image, name) == G_TYPE_INT && vips_image_get_int(image, name, &value) == 0
             ? value
             : otherwise;
}

std::string blob_field(VipsImage* image, const char* name) {
  const void* data = nullptr;
  size_t size = 0;
  if (vips_image_get_typeof(image, name) != VIPS_TYPE_BLOB) return {};
  if (vips_image_get_blob(image, name, &data, &size) != 0) return {};
  return std::string(static_cast<const char*>(data), size);
}

bool is_cmyk(VipsImage* image) { return vips_image_get_interpretation(image) == VIPS_INTERPRETATION_CMYK; }
bool is_lab(VipsImage* image) {
  const VipsInterpretation kind = vips_image_get_interpretation(image);
  return kind == VIPS_INTERPRETATION_LAB || kind == VIPS_INTERPRETATION_LABQ ||
         kind == VIPS_INTERPRETATION_LABS;
}

Status check_limits(const std::string& name, VipsImage* image, const Sniffed& sniffed,
                    const ReadLimits& limits) {
  const int64_t width = vips_image_get_width(image), height = vips_image_get_height(image);
  if (width > limits.side || height > limits.side) {
    return bad_input(
        fmt::format("{}: claims {} x {} pixels; the limit is {} a side", name, width, height, limits.side));
  }
  if (width * height > limits.pixels) {
    return bad_input(
        fmt::format("{}: claims {} x {} pixels; the limit is {} pixels", name, width, height, limits.pixels));
  }
  const int64_t claimed = width * height * int64_t(VIPS_IMAGE_SIZEOF_PEL(image));
  if (claimed > kRatioFrom && claimed / kRatio > sniffed.bytes) {
    return bad_input(
        fmt::format("{}: claims {} bytes of pixels in a file of {} bytes", name, claimed, sniffed.bytes),
        "such files are made to exhaust memory; it is not decoded");
  }
  return {};
}

Status check_samples(const std::string& name, VipsImage* image) {
  const VipsBandFormat format = vips_image_get_format(image);
  if (is_lab(image)) return {};
  if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
    return bad_input(fmt::format("{}: has {} samples; fye takes unsigned ones of 8 or 16 bit", name,
                                 vips_enum_nick(VIPS_TYPE_BAND_FORMAT, format)));
  }
  const int bands = vips_image_get_bands(image);
  if (bands < 1 || bands > (is_cmyk(image) ? 5 : 4)) {
    return bad_input(
        fmt::format("{}: has {} channels; fye takes grey, RGB and CMYK, with or without alpha", name, bands));
  }
  return {};
}

Result<Metadata> take_metadata(const std::string& name, VipsImage* image, const Sniffed& sniffed,
                               const ReadLimits& limits) {
  Metadata metadata;
  struct Field {
    const char* vips;
    const char* label;
    std::string Metadata::*member;
  };
  constexpr Field kFields[] = {{VIPS_META_ICC_NAME, "ICC profile", &Metadata::icc},
                               {VIPS_META_EXIF_NAME, "EXIF", &Metadata::exif},
                               {VIPS_META_XMP_NAME, "XMP", &Metadata::xmp},
                               {VIPS_META_IPTC_NAME, "IPTC", &Metadata::iptc}};
  for (const Field& field : kFields) {
    std::string& bytes = metadata.*field.member = blob_field(image, field.vips);
    if (int64_t(bytes.size()) > limits.metadata_bytes) {
      return bad_input(fmt::format("{}: {} bytes of {}; the limit is {}", name, bytes.size(), field.label,
                                   limits.metadata_bytes));
    }
  }
  if (metadata.exif.starts_with("Exif")) metadata.exif.erase(0, 6);  // JPEG's "Exif" and two zero bytes
  // libvips says 1 pixel per mm, or 72 per inch in a JPEG, where the file says nothing.
  const bool jpeg_unit =
      sniffed.format != PictureFormat::jpeg || vips_image_get_typeof(image, VIPS_META_RESOLUTION_UNIT) != 0;
  if (sniffed.resolution && jpeg_unit &&
      (vips_image_get_xres(image) != 1 || vips_image_get_yres(image) != 1)) {
    metadata.pixels_per_mm_x = vips_image_get_xres(image);
    metadata.pixels_per_mm_y = vips_image_get_yres(image);
  }
  if (sniffed.hidden_exif)
    metadata.lost.push_back("the TIFF's EXIF is left out: libvips does not hand it on");
  return metadata;
}

}  // namespace

std::string reason_and_place(VipsSource* source) {
  const std::string reason = vips_reason();
  const int64_t at = source->read_position, size = vips_source_length(source);
  vips_error_clear();  // a length that can't be had is no reason of its own
  if (at <= 0 || size <= 0) return reason;
  return fmt::format("{}; reading had come to byte {} of {}", reason, at, size);
}

Result<Opened> open_checked(const std::filesystem::path& path, const ReadLimits& limits) {
  if (auto started = start_vips(); !started) return started.error();
  const std::string name = path.string();
  auto sniffed = sniff_picture(path);
  if (!sniffed) return sniffed.error();

  SourceRef source(vips_source_new_from_file(path.c_str()));
  if (!source) return bad_input(fmt::format("{}: can't be opened: {}", name, vips_reason()));
  ImageRef loaded = open_picture(source.get(), sniffed->format);
  Opened opened{std::move(source), std::move(loaded), sniffed->format};
  VipsImage* image = opened.image.get();
  if (!image) {
    return bad_input(fmt::format("{}: can't be read as {}: {}", name, fye::name(sniffed->format),
                                 reason_and_place(opened.source.get())));
  }
  PictureInfo& info = opened.info;
  info.pages = std::max(sniffed->frames, integer_field(image, VIPS_META_N_PAGES, 1));
  if (auto ok = check_limits(name, image, *sniffed, limits); !ok) return ok.error();
  if (auto ok = check_samples(name, image); !ok) return ok.error();
  auto metadata = take_metadata(name, image, *sniffed, limits);
  if (!metadata) return metadata.error();
  opened.metadata = std::move(*metadata);

  opened.orientation = integer_field(image, VIPS_META_ORIENTATION, 1);
  const bool swap = swaps_sides(opened.orientation);
  info.width = swap ? vips_image_get_height(image) : vips_image_get_width(image);
  info.height = swap ? vips_image_get_width(image) : vips_image_get_height(image);
  const int bands = vips_image_get_bands(image);
  info.channels = is_cmyk(image) ? bands - 1 : bands;
  info.bits = vips_image_get_format(image) == VIPS_FORMAT_UCHAR || is_lab(image) || is_cmyk(image) ? 8 : 16;
  info.format = fye::name(sniffed->format);
  opened.interlaced = sniffed->interlaced || integer_field(image, "jpeg-multiscan", 0) != 0;
  return opened;
}

Status check_pages(const std::string& name, const Opened& opened) {
  const int pages = opened.info.pages;
  const PictureFormat format = opened.format;
  if (pages <= 1) return {};
  const char* what = format == PictureFormat::tiff ? "pages" : "frames";
  return bad_input(fmt::format("{}: has {} {}; fye takes pictures with one", name, pages, what),
                   format == PictureFormat::tiff
                       ? "split it into one file per page first"
                       : "an animation has to be turned into a film or single pictures first");
}

Result<ImageRef> as_rgb_or_grey(const std::string& name, ImageRef image, Metadata& metadata) {
  const bool cmyk = is_cmyk(image.get());
  if (!cmyk && !is_lab(image.get())) return image;
  VipsImage* converted = nullptr;
  int failed;
  if (cmyk) {
    // The embedded profile, or libvips' built-in CMYK profile where there is none or an unusable one.
    failed = vips_icc_transform(image.get(), &converted, "srgb", "embedded", TRUE, "input_profile", "cmyk",
                                "depth", 8, nullptr);
  } else {
    failed = vips_colourspace(image.get(), &converted, VIPS_INTERPRETATION_sRGB, nullptr);
  }
  if (failed)
    return bad_input(fmt::format("{}: its colours can't be converted to sRGB: {}", name, vips_reason()));
  metadata.icc.clear();
  metadata.lost.push_back(cmyk ? "CMYK was converted to sRGB" : "Lab was converted to sRGB");
  return ImageRef(converted);
}

}  // namespace fye
