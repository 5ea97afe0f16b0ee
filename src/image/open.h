// Opening a picture file: header parsed, limits kept, nothing decoded. Inside this room only.
#pragma once

#include <filesystem>
#include <string>

#include "image/file.h"
#include "image/sniff.h"
#include "image/vips.h"

namespace fye {

struct Opened {
  ImageRef image;  // pixels come top to bottom, once
  PictureFormat format;
  PictureInfo info;
  int orientation = 1;  // as the file says: the pixels are not turned yet
  bool interlaced =
      false;  // pixels come only after the whole file was decoded (PNG's Adam7, progressive JPEG)
  Metadata metadata;
};

// Errors: those of read_picture but of decoding; several pages are no error.
Result<Opened> open_checked(const std::filesystem::path& path, const ReadLimits& limits);

// Refuses several pages or frames.
Status check_pages(const std::string& name, const Opened& opened);

// CMYK and Lab as 8-bit sRGB, which goes row by row too; everything else as it is.
Result<ImageRef> as_rgb_or_grey(const std::string& name, ImageRef image, Metadata& metadata);

}  // namespace fye
