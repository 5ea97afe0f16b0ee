// What happens to samples on their way into a network and out of it, by its colour conventions: for whole
// pictures and for rows alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/map.h"

namespace fye {

// 255 or 65535.
inline float top_of(int bits) { return bits == 8 ? 255.f : 65535.f; }

// Rows [first, first + count) of packed pixels of 8 or 16 bit as a map: 8 bit: one level is one step of
// `range`; 16 bit: 257 steps a level.
Map pixel_map(const void* samples, int width, int channels, int bits, float range, int first, int count);
// The same of packed float pixels.
Map float_map(const void* values, int width, int channels, int first, int count);

// RGB with three equal channels, and back as their mean.
void grey_to_rgb(const uint8_t* grey, int bits, size_t pixels, uint8_t* rgb);
void rgb_to_grey(const uint8_t* rgb, int bits, size_t pixels, uint8_t* grey);

// Samples to lo..lo + range, and back: half to even, saturating; NaN becomes 0.
void to_range(const uint8_t* in, int bits, size_t samples, float lo, float range, float* out);
void from_range(const float* in, int bits, size_t samples, float lo, float range, uint8_t* out);

// The studio luma of pixels to lo..lo + range; and `enlarged` pixels with the network's luma: each colour
// moves by the difference in luma.
void luma_to_range(const uint8_t* in, int channels, int bits, size_t pixels, float lo, float range,
                   float* out);
void with_luma(const float* luma, const uint8_t* enlarged, int channels, int bits, size_t pixels, float lo,
               float range, uint8_t* out);

}  // namespace fye
