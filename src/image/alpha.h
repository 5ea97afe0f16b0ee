// Alpha: splitting it off, joining it again, and colours for the pixels that nobody sees.
#pragma once

#include "base/result.h"
#include "image/picture.h"

namespace fye {

// Colours of fully transparent pixels replaced by a smooth continuation of the visible ones (averages of ever
// coarser neighbourhoods), so that a network or a resampling which looks across the edge of visibility finds
// no foreign colour there. Visible pixels and alpha stay as they are; no alpha or nothing visible: nothing
// changes. Deterministic; time and memory grow with the pixels.
Picture bleed_under_alpha(Picture picture);

struct SplitPicture {
  Picture colour;  // grey or RGB, with the metadata
  Picture alpha;   // one channel; width 0 where the picture has no alpha
};

SplitPicture split_alpha(Picture picture);

// The reverse. Errors: sizes or bits differ, `colour` has alpha already, `alpha` isn't one channel.
Result<Picture> join_alpha(Picture colour, const Picture& alpha);

// The picture as seen on white paper, without alpha. For 16 bit as for 8: round((c * a + top * (top - a)) /
// top).
Picture over_white(Picture picture);

}  // namespace fye
