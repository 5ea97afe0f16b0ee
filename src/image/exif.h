// EXIF blocks: the few fields that no longer hold once a picture was turned or enlarged. Inside this room
// only.
#pragma once

#include <string>

namespace fye {

// All work in place on a TIFF-structured EXIF block, with or without the leading "Exif\0\0", and touch
// nothing else. A block that is malformed stays as it is; no read or write leaves the string.

// Sets Orientation (0x0112) to 1 and unlinks the thumbnail, which would show the picture unturned.
void reset_orientation(std::string& exif);

// Sets PixelXDimension and PixelYDimension (0xA002, 0xA003) and, where present, ImageWidth and ImageLength.
void set_dimensions(std::string& exif, int width, int height);

}  // namespace fye
