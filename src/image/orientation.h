// Turning a picture upright. Inside this room only.
#pragma once

#include "image/picture.h"

namespace fye {

// `orientation` is EXIF's 1..8 (EXIF 2.3, tag 0x0112); anything else leaves the picture as it is. Exact:
// pixels only move.
Picture upright(Picture picture, int orientation);

// True if width and height change places (5..8).
inline bool swaps_sides(int orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace fye
