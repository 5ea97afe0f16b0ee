// Opening a picture file: header parsed, limits kept, nothing decoded. Inside this room only.
#pragma once

#include <filesystem>
#include <string>

#include "image/file.h"
#include "image/sniff.h"
#include "image/vips.h"

namespace fye {

struct Opened {
  SourceRef source;  // the file, as far as the decoder has read it
  ImageRef image;    // pixels come top to bottom, once
  PictureFormat format;
  PictureInfo info;
  int orientation = 1;  // as the file says: the pixels are not turned yet
  bool interlaced =
      false;  // pixels come only after the whole file was decoded (PNG's Adam7, progressive JPEG)
  Metadata metadata;
};

// Errors: those of read_picture but of decoding; several pages are no error.
Result<Opened> open_checked(const std::filesystem::path& path, const ReadLimits& limits);

// What libvips said last, and how far into the file the decoder had read when it said so: "...; reading had
// come to byte 4096 of 10787". Codecs that read on and on (PNG, JPEG) are ahead of what is wrong by at most some
// kilobytes; TIFF's jumps about. Without this for codecs that take a file as a whole (WebP).
std::string reason_and_place(VipsSource* source);

// Refuses several pages or frames.
Status check_pages(const std::string& name, const Opened& opened);

// CMYK and Lab as 8-bit sRGB, which goes row by row too; everything else as it is.
Result<ImageRef> as_rgb_or_grey(const std::string& name, ImageRef image, Metadata& metadata);

}  // namespace fye
