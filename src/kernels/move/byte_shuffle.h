// ByteShuffle: some bytes of one pixel, picked wherever they lie, as 16 output bytes - by byte shuffles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fye {

// Each load brings 16 source bytes from `offset`; output byte i is byte pick[i] of it (0x80: none), or
// fill[i] where no load gives one.
struct ByteShuffle {
  static constexpr int kMaxLoads = 4;
  struct Load {
    int offset;
    uint8_t pick[16];
  };
  int loads = 0;
  Load load[kMaxLoads];
  uint8_t fill[16] = {};

  // Source bytes a step reads, counted from the pixel's start.
  int reach() const;
};

// The shuffle whose output byte i is source byte source[i], or `gap` where source[i] is negative. At most 16
// bytes; nothing if they lie too far apart for four loads.
std::optional<ByteShuffle> plan_shuffle(std::span<const int> source, uint8_t gap);

// For i in [0, count): 16 bytes to out + i * out_step, from in + i * in_step. What the surplus overwrites,
// and staying inside the rows, is the caller's business.
void shuffle_pixels_avx2(const ByteShuffle& shuffle, const std::byte* in, ptrdiff_t in_step, std::byte* out,
                         ptrdiff_t out_step, ptrdiff_t count);

}  // namespace fye
