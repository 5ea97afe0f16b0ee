// What a score says, and what all scores ask of pictures.
#pragma once

#include <string_view>

#include "base/result.h"
#include "image/picture.h"

namespace fye {

struct Score {
  double value = 0;  // PSNR of equal pictures: infinity
  bool identical =
      false;  // no sample that the score looks at differs; false where there is nothing to compare
};

// Errors (bad_input): the sizes differ (both are named), or as check_shave.
Status check_pair(const Picture& a, const Picture& b, int shave, int least);

// Errors: (usage) a negative shave; (bad_input) shaving `shave` pixels off each side leaves less than `least`
// x `least`.
Status check_shave(const Picture& picture, int shave, int least);

// The picture without `shave` pixels on each side.
Picture shaved(const Picture& picture, int shave);

// A score whose network is not on this machine: "not installed: run COMMAND". Nothing is wrong with the
// pictures, so a comparison goes on without the score.
Error not_installed(std::string_view command);
bool is_not_installed(const Error& error);

}  // namespace fye
