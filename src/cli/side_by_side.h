// Pictures cut, joined and enlarged for the eye: what compare and resize do beside scores and sizes.
#pragma once

#include <span>

#include "base/result.h"
#include "cli/parse.h"
#include "image/picture.h"

namespace fye {

// The part of the picture that `crop` means. Errors: it lies outside (both sizes are named).
Result<Picture> cropped(const Picture& picture, const Crop& crop);

// The pictures in a row with a white gap of `gap` pixels, as 8-bit RGB without metadata; alpha is dropped.
// All equally high.
Picture side_by_side(std::span<const Picture> pictures, int gap);

}  // namespace fye
