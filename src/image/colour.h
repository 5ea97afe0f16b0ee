// Colour: the luma and grey of super-resolution scores (spec/metrics.md, sections 1 and 9).
#pragma once

#include "image/picture.h"

namespace fye {

// BT.601 studio luma, 16..235, not rounded: 16 + (65.481 R + 128.553 G + 24.966 B) / 255. Grey pictures use R
// = G = B; 16-bit samples are divided by 257; alpha is ignored.
Plane luma(const Picture& picture);

// The same for `pixels` packed pixels of `bits` a sample, into as many values.
void luma_of(const uint8_t* samples, int channels, int bits, size_t pixels, double* values);

// round(0.2989 R + 0.5870 G + 0.1140 B), half to even, 0..255 (MATLAB's rgb2gray on uint8).
Plane grey(const Picture& picture);

}  // namespace fye
