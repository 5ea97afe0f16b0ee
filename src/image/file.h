// Picture files in and out, by libvips: JPEG, PNG, WebP, TIFF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/picture.h"

namespace fye {

// Refused before any pixel is decoded (OpenImageIO and Pillow use limits of this kind; figures from users.md, R5).
struct ReadLimits {
  int64_t pixels = 268'000'000;
  int side = 65'535;
  int64_t metadata_bytes = 10 << 20;  // ICC, EXIF, XMP, IPTC each
};

// What a file's header says; nothing decoded.
struct PictureInfo {
  int width = 0, height = 0, channels = 0, bits = 8;  // as read_picture will deliver them (upright)
  std::string format;                                // "png", "jpeg", "webp", "tiff"
  int pages = 1;
};

Result<PictureInfo> probe_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

// Upright, 8 or 16 bit, grey / grey+alpha / RGB / RGB+alpha. Palette becomes 8-bit RGB(A), 1/2/4-bit grey becomes 8-bit grey,
// CMYK is converted to sRGB through its profile. Errors (bad_input): no such file, not one of the four formats, truncated or
// corrupt, over a limit, animated or with several pages.
Result<Picture> read_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

// How to write. `quality` is for JPEG and lossy WebP (WebP is written lossless when quality is 100).
struct WriteOptions {
  int quality = 95;
};

// The extension chooses the format (.png .jpg .jpeg .webp .tif .tiff); written complete or not at all. Carries ICC, EXIF and
// XMP where the format can; returns a sentence for everything that was lost (alpha or 16 bit in JPEG, EXIF in TIFF, ...).
Result<std::vector<std::string>> write_picture(const Picture& picture, const std::filesystem::path& path,
                                               const WriteOptions& options = {});

// "libvips 8.14.1, JPEG, PNG, WebP, TIFF" for doctor.
std::string codecs();

}  // namespace fye
