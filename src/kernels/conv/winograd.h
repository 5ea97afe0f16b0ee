// Winograd convolution: what the instruction-set files share.
//
// Lavin and Gray (CVPR 2016): outputs of a 3 x 3 convolution in tiles of T x T need only the products,
// element by element, of a transformed square of (T + 2) x (T + 2) inputs and the kernel transformed once;
// the products are summed over the input channels and the sums transformed back. T = 4: 36 products where the
// direct form has 144, in float. T = 2: 16 where it has 36, and all of it in whole numbers, so exact in int8.
// The products at one element of the square, over all tiles and channels, are a 1 x 1 convolution, and the
// direct loop computes it (direct-inl.h).
//
// Tiles lie on whole multiples of T in the map's own coordinates, so that a pixel's rounding is the same in
// every region (Kernel::grain). Tested by conv_test.cc.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/conv/conv.h"
#include "kernels/conv/direct.h"

namespace fye {

// Some tiles side by side, before their transformation.
struct WinogradInput {
  const std::byte* rows[6] = {};  // of the tiles' squares, from the first tile's first column
  ptrdiff_t pixel = 0;            // bytes to the next
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
  int tile = 0;           // T
  int element_bytes = 0;  // of the transformed squares
  // The products: format, lanes, vectors a block; `row` as for a 1 x 1 convolution without an epilogue.
  DirectCode products;
  void (*input)(const WinogradInput&, const WinogradPlanes&) = nullptr;
  void (*output)(const WinogradOutput&, const WinogradPlanes&, const DirectBlock&,
                 const DirectEpilogue&) = nullptr;
};

extern const WinogradCode kWinogradF32Avx2, kWinogradF32Avx512, kWinogradBf16Avx512, kWinogradInt8Avx2;

// Other than 3 x 3 with stride, dilation and group 1; and fewer channels than pay for the transforms.
std::string_view winograd_refuses_float(const ConvProblem& problem);
// Also more channels than 32 bits hold the sums of.
std::string_view winograd_refuses_int8(const ConvProblem& problem);
std::unique_ptr<Kernel> prepare_winograd(const ConvProblem& problem, const WinogradCode& code);

}  // namespace fye
