// Direct convolution: what the instruction-set files share - packed weights, one row's geometry - as plain
// structs.
//
// A pixel is whole 32-bit groups (1 f32, 2 bf16, 4 u8; map.h). For one kernel row the groups under all taps
// of an output pixel lie next to each other, so a convolution is, per output pixel: accumulators +=
// dot(broadcast of a group, weights of that group for a vector of output channels). One loop serves every
// format; only the dot product differs. Weights are streamed from a packed array, `pixels x vectors`
// accumulators stay in registers. Margins hold the padding, so there is no edge case. Tested by conv_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/conv/conv.h"

namespace fye {

// A group with parts of weights that the AVX2 u8 x s8 pair sum could saturate on, added in a second pass
// (pack.h).
struct RestGroup {
  int ky = 0, kx = 0, offset = 0;  // tap, and byte offset of the group inside the pixel
};

inline constexpr int kMaxVectors = 4;

// Up to kMaxVectors vectors of output channels that share their input channels.
struct DirectBlock {
  const std::byte* weights = nullptr;  // [kernel_h][kernel_w][groups][vectors][lanes] groups
  // Per vector: its rest groups in DirectRow::rest_offsets, and for each a vector of [lanes][2] 16-bit
  // weights of even bytes.
  int rest_first[kMaxVectors] = {}, rest_count[kMaxVectors] = {};
  const std::byte* rest_weights[kMaxVectors] = {};
  ptrdiff_t in_offset = 0;  // bytes from the pixel to this block's first input channel
  int first = 0, channels = 0, vectors = 0;
  bool last = false;  // has the last output channel
  int slot = 0;       // index of its first lane in the per-lane arrays of DirectEpilogue
};

enum class ResidualKind : uint8_t {
  none,
  plain,     // channel c
  repeated,  // channel c % n, n at most a vector of lanes: one load and a permutation
  gathered,  // channel c % n
};

// What happens to finished accumulators. Arrays have one entry a lane ("slot").
struct DirectEpilogue {
  const void* start = nullptr;  // accumulator's first value: float bias, or int32 accumulator_start()
  // f32, bf16: y = clamp(slope(acc)); + residual; clamp(slope())
  const float *slope = nullptr, *post_slope = nullptr;  // null: none
  float lo = 0, hi = 0, post_lo = 0, post_hi = 0;
  // int8: requant.h
  const float *positive = nullptr, *negative = nullptr;
  bool has_slope = false, bounded = false;
  float b = 0;
  int z = 0, z_res = 0, q_lo = 0;
  const uint8_t* upper = nullptr;  // highest level a lane; 0 beyond the channels
  // s16 output: bounds a lane, 0 beyond the channels; else null
  const int16_t *lower16 = nullptr, *upper16 = nullptr;
  ResidualKind residual = ResidualKind::none;
  const int32_t* residual_index = nullptr;  // residual channel a lane, for `repeated` and `gathered`
};

// One row of output pixels.
struct DirectRow {
  const std::byte* in = nullptr;  // pixel under tap (0, 0) of the first output pixel
  ptrdiff_t in_row = 0, in_tap = 0,
            in_pixel = 0;  // bytes to the next kernel row, kernel column, output pixel
  int kernel_h = 0;
  int runs = 0, groups = 0;                 // contiguous runs a kernel row, groups a run
  const ptrdiff_t* rest_offsets = nullptr;  // bytes from tap (0, 0) to each rest group
  std::byte* out = nullptr;
  ptrdiff_t out_pixel = 0;
  int gap = 0;  // elements to zero after the last channel, as far as they lie in its vector
  const std::byte* residual = nullptr;
  ptrdiff_t residual_pixel = 0;
  int width = 0;
  bool spill = false;  // a pixel's stores may run into the next pixel, which is written later
};

using DirectRowFn = void (*)(const DirectRow&, const DirectBlock&, const DirectEpilogue&);

// A direct kernel for one instruction set and format.
struct DirectCode {
  std::string_view name;
  Numbers numbers = Numbers::f32;
  int lanes = 0;               // output channels a vector
  int max_vectors = 0;         // a block
  bool across_groups = false;  // blocks of channels span convolution groups (depthwise)
  bool split_pairs = false;  // int8 without VNNI: weights packed by pairs that can't saturate, the rest apart
  DirectRowFn row = nullptr;
  DirectRowFn narrow =
      nullptr;  // 1 to kMaxNarrow output channels in blocks packed for it; row.runs must be 1
  // Tile kernels: before the first and after the last row of a call; and the code for maps whose kernel rows
  // are not contiguous.
  void (*enter)(int width) = nullptr;
  void (*leave)() = nullptr;
  const DirectCode* otherwise = nullptr;
};
inline constexpr int kMaxNarrow = 4;

extern const DirectCode kDirectF32Avx2, kDirectF32Avx512, kDirectBf16Avx512, kDirectInt8Avx2,
    kDirectInt8Avx2Vnni, kDirectInt8Avx512, kTilesInt8Amx, kTilesBf16Amx;
extern const DirectCode kDirectInt8Evex256, kTilesInt8Model, kTilesBf16Model;  // for tests (test_variants.h)

// Fills in where a row of `out` is stored and read: all but `out`, `residual` and what belongs to the input.
void set_output(DirectRow& row, const Map& out, const Map* residual, const DirectBlock& last, int lanes);

// Zeroes, in a finished row, what lies between its last vector and the pitch.
void zero_gap(const DirectRow& row, const Map& out);

std::string_view direct_refuses_f32(const ConvProblem& problem);
std::string_view direct_refuses_bf16(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_direct(const ConvProblem& problem, const DirectCode& code);

}  // namespace fye
