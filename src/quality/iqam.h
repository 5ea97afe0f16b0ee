// IQAM, RBQE's score without an original (Xing et al., ECCV 2020): how much fine detail a compressed picture
// has kept, from Tchebichef moments of the codec's blocks; and a plainer measure of blocking beside it.
#pragma once

#include "quality/score.h"

namespace fye {

// Higher is better, 0..1. On grey of 0..255, rounded to 8 bits by the caller, at least 2 `block` a side;
// `block` is 4 (HEVC) or 8 (JPEG), on a grid that begins at the plane's corner. As published (spec/rbqe.md,
// section 3): smooth blocks are scored by their share of highest-order moments, textured ones by what a blur
// changes. So a flat sky scores 0 and noise scores 1: use it on compressed photographs.
double iqam(const Plane& grey, int block);

// Mean |step| between neighbours across the grid's lines minus the mean inside blocks, in grey levels, over
// rows and columns alike; lower is better, near 0 without blocking. Same grid and sizes as iqam.
double boundary_step(const Plane& grey, int block);

// Both on a picture's rounded grey. `shave` is rounded up to a multiple of `block`, so that the grid stays
// the codec's. Errors: as check_shave with least = 2 `block` for that shave.
Result<Score> iqam(const Picture& picture, int block, int shave);
Result<Score> boundary_step(const Picture& picture, int block, int shave);

}  // namespace fye
