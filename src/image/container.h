// Metadata put into encoded files byte for byte: libvips would rewrite EXIF and invent a resolution. Inside
// this room only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/picture.h"

namespace fye {

// All three take a whole file as libvips wrote it and return the file to store; a sentence goes to `notices`
// for each block that the format can't hold.

// `jpeg` without any metadata (libvips' "strip"): adds JFIF with the resolution, EXIF, XMP, ICC and IPTC.
std::string jpeg_with_metadata(std::string_view jpeg, const Metadata& metadata,
                               std::vector<std::string>& notices);

// `png` with ICC and XMP already in: adds EXIF; removes the resolution if metadata states none.
std::string png_with_metadata(std::string_view png, const Metadata& metadata,
                              std::vector<std::string>& notices);

// `webp` with ICC and XMP already in: replaces whatever EXIF libvips wrote by ours, or by nothing.
std::string webp_with_metadata(std::string_view webp, const Picture& picture,
                               std::vector<std::string>& notices);

}  // namespace fye
