// Test-time augmentation: the mean of what a network makes of a picture's eight flips and rotations.
#pragma once

#include <functional>

#include "base/result.h"
#include "image/picture.h"

namespace fye {

// The eight symmetries of the square, 0..7: bit 0 mirrors left and right, bit 1 top and bottom, then bit 2 swaps rows
// and columns. 0 changes nothing. Metadata is not copied.
Picture turned(const Picture& picture, int symmetry);

// turned(turned(p, s), inverse(s)) is p.
int inverse(int symmetry);

// Enlarges all eight and averages them sample by sample, rounded to nearest (half up). `enlarge` gives pictures of one
// scale, and of the same channels and bits each time; it is called eight times, the picture's own shape first. The
// result has the metadata of the first. Memory: two results more than enlarge's own. Errors: enlarge's; results that
// don't fit together are a bug (error).
Result<Picture> mean_of_symmetries(const Picture& picture,
                                   const std::function<Result<Picture>(const Picture&)>& enlarge);

}  // namespace fye
