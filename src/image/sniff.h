// Which picture format a file's first bytes say it is; nothing is decoded. Inside this room only.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace fye {

enum class PictureFormat { png, jpeg, webp, tiff };

std::string name(PictureFormat format);

struct Sniffed {
  PictureFormat format;
  int64_t bytes;             // of the file
  int frames = 1;            // of an animated PNG; libvips reports those of WebP and TIFF itself
  bool resolution = true;    // false: a PNG without one (libvips then makes one up)
  bool interlaced = false;   // a PNG in seven passes
  bool hidden_exif = false;  // a TIFF with EXIF, which libvips doesn't hand out
};

// Errors (bad_input): no such file, a directory, unreadable, empty, another kind of file (named where it is
// known), a PNG whose chunks end before IEND.
Result<Sniffed> sniff_picture(const std::filesystem::path& path);

}  // namespace fye
