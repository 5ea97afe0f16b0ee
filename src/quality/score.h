// What a score says, and what all scores ask of two pictures.
#pragma once

#include "base/result.h"
#include "image/picture.h"

namespace fye {

struct Score {
  double value = 0;        // PSNR of equal pictures: infinity
  bool identical = false;  // no sample that the score looks at differs
};

// Errors (bad_input): the sizes differ (both are named), or shaving `shave` pixels off each side leaves less
// than `least` x `least`.
Status check_pair(const Picture& a, const Picture& b, int shave, int least);

// The picture without `shave` pixels on each side.
Picture shaved(const Picture& picture, int shave);

}  // namespace fye
