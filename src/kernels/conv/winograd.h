// Winograd convolution: what the instruction-set files share.
//
// Lavin and Gray (CVPR 2016), F(4x4, 3x3): outputs of a 3 x 3 convolution in tiles of 4 x 4 need only the
// products, element by element, of a transformed square of 6 x 6 inputs and the kernel transformed once; the
// products are summed over the input channels and the sums transformed back. 36 products where the direct
// form has 144. Those at one element of the square, over all tiles and channels, are a 1 x 1 convolution, and
// the direct loop computes it (direct-inl.h).
//
// Tiles lie at fixed places in the map's own coordinates (Kernel::grain), so that a pixel's rounding is the
// same in every region. Tested by conv_test.cc and winograd_test.cc.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/conv/conv.h"
#include "kernels/conv/direct.h"

namespace fye {

inline constexpr int kWinogradTile = 4, kWinogradSide = 6;  // of outputs, of inputs

// Some tiles side by side, before their transformation.
struct WinogradInput {
  const std::byte* rows[kWinogradSide] = {};  // of the tiles' squares, from the first tile's first column
  ptrdiff_t pixel = 0;                        // bytes to the next
  int tiles = 0, channels = 0;
};

// Transformed squares or their sums: element e of tile t at data + e * plane + t * tile.
struct WinogradPlanes {
  std::byte* data = nullptr;
  ptrdiff_t plane = 0, tile = 0;
};

// Where tiles side by side are stored: their first row and column in the region, and of the rows of the tiles
// those that are wanted.
struct WinogradOutput {
  DirectRow row;                            // the tiles' first row: out, residual and what goes with them
  ptrdiff_t out_row = 0, residual_row = 0;  // bytes to the next
  int x = 0;                                // of the first tile in the region; may be negative
  int first_row = 0, end_row = 0;
  int tiles = 0;
};

// A Winograd kernel for one instruction set and format.
struct WinogradCode {
  std::string_view name;
  int fewest_channels = 12;  // in and out; with fewer the direct form is faster (kernels_bench)
  int element_bytes = 0;     // of the transformed squares
  // The products: format, lanes, vectors a block; `row` as for a 1 x 1 convolution without an epilogue.
  DirectCode products;
  const int* pixels = nullptr;  // kPixels of its Dot: how many tiles share the weights of 1 to 4 vectors
  void (*input)(const WinogradInput&, const WinogradPlanes&) = nullptr;
  void (*output)(const WinogradOutput&, const WinogradPlanes&, const DirectBlock&,
                 const DirectEpilogue&) = nullptr;
};

extern const WinogradCode kWinogradF32Avx2, kWinogradF32Avx512, kWinogradBf16Avx512, kWinogradInt8Avx2,
    kWinogradInt8Avx2Vnni, kWinogradInt8Avx512;
extern const WinogradCode kWinogradInt8Evex256;  // for tests (test_variants.h)

// Refuses what is not 3 x 3 with stride, dilation and group 1; fewer channels than pay for the transforms;
// curves; and int8 weights whose sums may leave the range in which they are exact.
std::string_view winograd_refuses(const ConvProblem& problem, const WinogradCode& code);
std::unique_ptr<Kernel> prepare_winograd(const ConvProblem& problem, const WinogradCode& code);

}  // namespace fye
