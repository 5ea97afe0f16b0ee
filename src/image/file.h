// Picture files in and out, by libvips: JPEG, PNG, WebP, TIFF.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/picture.h"

namespace fye {

// Refused before any pixel is decoded; the figures are those of users.md, R5, as is one more rule: a file that claims
// more than 1 GB of pixels and 10000 times its own size is refused too.
struct ReadLimits {
  int64_t pixels = 268'000'000;
  int side = 65'535;
  int64_t metadata_bytes = 10 << 20;  // ICC, EXIF, XMP, IPTC each
};

// What a file's header says; nothing decoded.
struct PictureInfo {
  int width = 0, height = 0, channels = 0, bits = 8;  // as read_picture will deliver them (upright)
  std::string format;                                 // "png", "jpeg", "webp", "tiff"
  int pages = 1;
};

Result<PictureInfo> probe_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

// Upright, 8 or 16 bit, grey / grey+alpha / RGB / RGB+alpha. Palette becomes 8-bit RGB(A), 1/2/4-bit grey becomes
// 8-bit grey, CMYK is converted to sRGB through its profile (or a common one where it has none), Lab likewise. The kind
// of file is told by its content, not by its extension. Thread-safe. What had to stay behind stands in metadata.lost.
// Errors (bad_input): no such file, not one of the four formats, truncated or corrupt, over a limit, animated or with
// several pages, samples other than unsigned 8 or 16 bit; (resources): not enough memory.
Result<Picture> read_picture(const std::filesystem::path& path, const ReadLimits& limits = {});

// How to write. `quality` is for JPEG and lossy WebP (WebP is written lossless when quality is 100).
struct WriteOptions {
  int quality = 95;
};

// The extension chooses the format (.png .jpg .jpeg .webp .tif .tiff); written complete or not at all. Carries ICC,
// EXIF and XMP byte for byte where the format can (EXIF's size fields follow the picture); returns a sentence for
// everything that was lost, here or in reading: alpha in JPEG (laid over white), 16 bit in JPEG and WebP, EXIF in TIFF,
// IPTC but from JPEG to JPEG. Thread-safe. Errors: (usage) unknown extension, more pixels a side than the format has,
// quality outside 1..100; those of write_file; (resources) not enough memory.
Result<std::vector<std::string>> write_picture(const Picture& picture, const std::filesystem::path& path,
                                               const WriteOptions& options = {});

// "libvips 8.14.1, JPEG, PNG, WebP, TIFF" for doctor.
std::string codecs();

}  // namespace fye
