// Packing: a convolution's weights and epilogue in the order that the direct kernels read them.
#pragma once

#include <functional>
#include <vector>

#include "base/buffer.h"
#include "kernels/conv/direct.h"

namespace fye {

// Owns what the blocks and the epilogue point to. Movable; the pointers stay valid.
struct DirectPack {
  std::vector<DirectBlock> blocks;
  DirectEpilogue epilogue;
  int groups = 0;  // 32-bit groups a tap

  Buffer weights, rest_weights, start, upper;
  std::vector<RestGroup> rest;  // of all blocks
  std::vector<float> slope, post_slope, positive, negative;
  std::vector<int32_t> residual_index;
  std::vector<int16_t> lower16, upper16;  // empty unless the output is s16
};

// Cuts the output channels of each convolution group into blocks of at most code.max_vectors vectors, as even
// as they come; without weights.
std::vector<DirectBlock> cut_blocks(const ConvProblem& problem, const DirectCode& code);

// For code.split_pairs: a pair of s8 weights that meets in one 16-bit sum can saturate it only if both have
// one sign. It is cut into a part with |a + b| <= 128, which no u8 input can saturate (255 * 128 = 32640 <
// 32768), and a rest of the even weight.
DirectPack pack_direct(const ConvProblem& problem, const DirectCode& code);

// For Winograd and depthwise kernels: weights [elements][groups][vectors][lanes] as `weights` gives
// them, 32 bits at a time, for an output channel, an element of the transformed square and a group of input
// channels.
DirectPack pack_products(const ConvProblem& problem, const DirectCode& code, int elements, int groups,
                         const std::function<uint32_t(int channel, int element, int group)>& weights);

// For tile kernels: like pack_direct, each kernel row's groups followed by zeros up to a multiple of 16.
DirectPack pack_tiles(const ConvProblem& problem, const DirectCode& code);

// For code.narrow: a block a convolution group, weights [kernel_h][vectors of the kernel row's groups][out
// channels][lanes].
DirectPack pack_narrow(const ConvProblem& problem, const DirectCode& code);

// For input of few channels whose pixels lie closely, without the gap up to a 32-bit group: weights
// [kernel_h][groups of the kernel row][vectors][lanes], pack.groups a kernel row. int8 only: what is read
// past a row's last tap meets zero weights, and could be a NaN in the float formats.
DirectPack pack_dense(const ConvProblem& problem, const DirectCode& code);

// True if code.narrow can solve the problem and needs fewer vector operations than code.row.
bool prefers_narrow(const ConvProblem& problem, const DirectCode& code);

// True if code.narrow does not and dense rows save at least a fifth of code.row's operations: three quarters
// for one channel under nine taps a row, nothing for three channels under three.
bool prefers_dense(const ConvProblem& problem, const DirectCode& code);

}  // namespace fye
