// PIQE (Venkatanath et al., NCC 2015): a score without an original, from how active, impaired and noisy 16 x
// 16 blocks are (spec/metrics.md, section 4). Lower is better, 0..100 for most pictures; adding noise lowers
// it, so it never stands alone.
#pragma once

#include "base/threads.h"
#include "quality/score.h"

namespace fye {

struct Piqe {
  double score = 100;                           // also of a picture without an active block
  int64_t active = 0, impaired = 0, noisy = 0;  // blocks; the latter two are among the active ones
};

// Of a grey plane of at least 1 x 1 with values >= 0. Scaling all values alike changes nothing: the steps
// begin with a division by the largest. The result does not depend on the number of threads.
Piqe piqe(const Plane& grey, ThreadPool& threads);

// Of the rounded grey of a picture (grey() of image/colour.h) after `shave` pixels have been taken off each
// side. 16-bit samples count as v / 257; alpha is ignored. Errors: as check_shave with least = 1.
Result<Score> piqe(const Picture& picture, int shave);

}  // namespace fye
