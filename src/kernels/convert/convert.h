// The Data Format Converter: float <-> bf16 <-> int8 <-> s16 <-> 16-bit pixels, with the layout change in the same pass.
#pragma once

#include "base/isa.h"
#include "kernels/map.h"

namespace fye {

// Converts rows [y0, y1) of out.region; same channels, any pitch on both sides (so packed RGB pictures are maps of pitch 3).
// float -> u8 / u16 / s16: sat(rne(x / s) + z), a true division, NaN -> z. u8 / u16 / s16 -> float: s * (q - z). float -> bf16:
// rne; bf16 -> float: exact. Between quantised formats of equal quant and type: a copy; where one is s16 (and none u16)
// sat(rne(f32(q - z_in) * (s_in / s_out)) + z_out), one float multiplication (design.md, section 4); else through float. Gaps
// between channels and pitch become z (0 for floats). Dispatches to the widest variant up to `max`; all variants give the same bits. Float maps that
// with their source exceed the last-level cache are written past it.
void convert_rows(const Map& in, const Map& out, int y0, int y1, Isa max);

// Fills the margin of `map` beyond the true border of a full_h x full_w feature map with the padding value: z, or 0.
// Rows and columns of the margin inside the feature map are left alone.
void fill_margin(const Map& map, int full_h, int full_w);

}  // namespace fye
