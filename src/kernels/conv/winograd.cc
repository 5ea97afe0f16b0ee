// Goes along rows of tiles, some tiles at a time, so that their transformed squares and sums stay in the
// second level cache: forward transforms, products, transforms back with the epilogue.
#include "kernels/conv/winograd.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/buffer.h"
#include "kernels/conv/pack.h"

namespace fye {
namespace {

// Half of the second level cache of the smallest machine that matters (512 kB), and few enough tiles for the
// first level to hold one element's share of them.
constexpr int kScratchBytes = 256 << 10, kMostTiles = 24, kFewestTiles = 6;

// Below this the transforms cost more than they save (kernels_bench).
constexpr int kFewestChannels = 12;

int round_up(int n, int step) { return (n + step - 1) / step * step; }

// G g G^T of one 3 x 3 kernel for the points of winograd-inl.h: row of point p is (1, p, p^2) / prod(p -
// others).
void transform_kernel(const float* g, double (&u)[36]) {
  const double a = std::sqrt(0.5), b = std::sqrt(2.0);
  const double rows[6][3] = {{1, 0, 0},
                             {-2.0 / 3, -2.0 / 3 * a, -1.0 / 3},
                             {-2.0 / 3, 2.0 / 3 * a, -1.0 / 3},
                             {1.0 / 6, b / 6, 1.0 / 3},
                             {1.0 / 6, -b / 6, 1.0 / 3},
                             {0, 0, 1}};
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 6; ++j) {
      double sum = 0;
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x) sum += rows[i][y] * g[y * 3 + x] * rows[j][x];
      u[i * 6 + j] = sum;
    }
}

// The convolution's weights as those of a kernel of 36 x 1 taps, one for each element of the square.
ConvProblem with_transformed_weights(const ConvProblem& problem) {
  ConvProblem p = problem;
  p.kernel_h = 36;
  p.kernel_w = 1;
  p.weight.clear();
  for (size_t kernel = 0; kernel < problem.weight.size(); kernel += 9) {
    double u[36];
    transform_kernel(&problem.weight[kernel], u);
    p.weight.insert(p.weight.end(), std::begin(u), std::end(u));
  }
  return p;
}

// A thread's memory for transformed tiles; it grows to the largest layer's.
std::byte* scratch(size_t bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < bytes) buffer = Buffer(bytes);
  return buffer.data();
}

class WinogradKernel final : public Kernel {
 public:
  WinogradKernel(const ConvProblem& problem, const WinogradCode& code)
      : code_(code),
        side_(code.tile + 2),
        pad_top_(problem.pad_top),
        pad_left_(problem.pad_left),
        in_channels_(problem.in_channels),
        residual_(problem.residual),
        pack_(pack_direct(with_transformed_weights(problem), *code.products)) {
    const int lanes = code.products->lanes;
    in_pitch_ = round_up(in_channels_, lanes);
    const DirectBlock& last = pack_.blocks.back();
    out_pitch_ = last.slot + last.vectors * lanes;
    const int tile_bytes = side_ * side_ * (in_pitch_ + out_pitch_) * int(sizeof(float));
    tiles_ = std::clamp(kScratchBytes / tile_bytes / kFewestTiles * kFewestTiles, kFewestTiles, kMostTiles);
  }

  int grain() const override { return code_.tile; }
  std::string_view variant() const override { return code_.name; }

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const int tile = code_.tile;
    const Layout at = layout(in[0].pitch);
    WinogradOutput to;
    set_output(to.row, out, residual_ ? &in[1] : nullptr, pack_.blocks.back(), code_.products->lanes);
    to.out_row = out.row_bytes;
    if (residual_) to.residual_row = in[1].row_bytes;
    const int right = out.region.x + out.region.w;
    for (int y = y0 / tile * tile; y < y1; y += tile) {
      to.row.out = pixel_at(out, y, out.region.x);
      if (residual_) to.row.residual = pixel_at(in[1], y, out.region.x);
      to.first_row = std::max(0, y0 - y);
      to.end_row = std::min(tile, y1 - y);
      for (int x = out.region.x / tile * tile; x < right; x += tile * tiles_) {
        to.tiles = std::min(tiles_, (right - x + tile - 1) / tile);
        to.x = x - out.region.x;
        forward(in[0], y - pad_top_, x - pad_left_, to.tiles, at);
        multiply(to.tiles, at);
        for (const DirectBlock& block : pack_.blocks) code_.output(to, at.sums, block, pack_.epilogue);
      }
      for (int i = to.first_row; i < to.end_row; ++i) {
        DirectRow row = to.row;
        row.out += i * to.out_row;
        zero_gap(row, out);
      }
    }
  }

 private:
  // Where things lie in the scratch memory.
  struct Layout {
    WinogradPlanes squares, sums;
    std::byte* zeros;   // a row of a tile's inputs
    std::byte* border;  // the inputs of a tile at the border
    ptrdiff_t border_row;
  };

  Layout layout(int pitch) const {
    const ptrdiff_t element = sizeof(float), squares = side_ * side_;
    const auto planes = [&](int channels) {
      WinogradPlanes p{.plane = tiles_ * channels * element, .tile = channels * element};
      if (p.plane % 4096 == 0) p.plane += kAlignment;  // else all planes fall into the same cache sets
      return p;
    };
    Layout at{.squares = planes(in_pitch_), .sums = planes(out_pitch_)};
    at.border_row = round_up(int(side_ * pitch * element), kAlignment);
    const size_t slack = kSlack;  // vectors reach beyond the last channel
    at.squares.data = scratch(size_t(squares * (at.squares.plane + at.sums.plane)) +
                              size_t(side_ + 1) * size_t(at.border_row) + 2 * slack);
    at.sums.data = at.squares.data + squares * at.squares.plane;
    at.zeros = at.sums.data + squares * at.sums.plane;
    std::memset(at.zeros, 0, size_t(at.border_row) + slack);
    at.border = at.zeros + at.border_row + slack;
    return at;
  }

  // `tiles` squares whose first input is (y, x). What lies outside the region is outside the map, as the
  // region covers whole tiles: zero.
  void forward(const Map& in, int y, int x, int tiles, const Layout& at) const {
    const ptrdiff_t element = sizeof(float);
    WinogradInput from{.pixel = in.pitch * element, .channels = in_channels_};
    const int left = in.region.x, right = left + in.region.w, width = side_;
    const auto inside = [&](int column) { return column >= left && column + width <= right; };
    for (int t = 0; t < tiles;) {
      const int column = x + t * code_.tile;
      from.tiles = 1;
      if (inside(column))
        while (t + from.tiles < tiles && inside(column + from.tiles * code_.tile)) ++from.tiles;
      for (int i = 0; i < width; ++i) {
        const bool there = y + i >= in.region.y && y + i < in.region.y + in.region.h;
        from.rows[i] = !there           ? at.zeros
                       : inside(column) ? pixel_at(in, y + i, column)
                                        : border_row(in, y + i, column, at.border + i * at.border_row);
        if (!there && from.tiles > 1) from.tiles = 1;
      }
      WinogradPlanes to = at.squares;
      to.data += t * to.tile;
      code_.input(from, to);
      t += from.tiles;
    }
  }

  // Row y of a square from column x on, zeros where the region ends, in `to`.
  const std::byte* border_row(const Map& in, int y, int x, std::byte* to) const {
    const ptrdiff_t pixel = ptrdiff_t(in.pitch) * ptrdiff_t(sizeof(float));
    const int begin = std::clamp(in.region.x, x, x + side_),
              end = std::clamp(in.region.x + in.region.w, begin, x + side_);
    std::memset(to, 0, size_t(side_ * pixel));
    if (end > begin)
      std::memcpy(to + (begin - x) * pixel, pixel_at(in, y, begin), size_t((end - begin) * pixel));
    return to;
  }

  void multiply(int tiles, const Layout& at) const {
    DirectRow row{.in_pixel = at.squares.tile, .kernel_h = 1, .runs = 1, .groups = in_channels_};
    row.out_pixel = at.sums.tile;
    row.width = tiles;
    for (int e = 0; e < side_ * side_; ++e) {
      row.in = at.squares.data + e * at.squares.plane;
      row.out = at.sums.data + e * at.sums.plane;
      for (DirectBlock block : pack_.blocks) {
        block.weights +=
            ptrdiff_t(e) * in_channels_ * block.vectors * code_.products->lanes * ptrdiff_t(sizeof(float));
        code_.multiply(row, block, pack_.epilogue);
      }
    }
  }

  const WinogradCode& code_;
  int side_, pad_top_, pad_left_, in_channels_;
  bool residual_;
  DirectPack pack_;
  int in_pitch_ = 0, out_pitch_ = 0;  // elements of a tile, whole vectors
  int tiles_ = 0;                     // at a time
};

}  // namespace

std::string_view winograd_refuses_f32(const ConvProblem& p) {
  if (p.kernel_h != 3 || p.kernel_w != 3) return "the kernel is not 3 x 3";
  if (p.stride_h != 1 || p.stride_w != 1 || p.dilation_h != 1 || p.dilation_w != 1 || p.group != 1)
    return "stride, dilation and groups other than 1 have no Winograd form";
  if (p.in_channels < kFewestChannels || p.out_channels < kFewestChannels)
    return "the direct form is faster with so few channels";
  for (const Activation* act : {&p.act, &p.post})
    if (act->kind == Activation::Kind::tanh || act->kind == Activation::Kind::sigmoid)
      return "tanh and sigmoid are left to the direct form";
  return {};
}

std::unique_ptr<Kernel> prepare_winograd(const ConvProblem& problem, const WinogradCode& code) {
  return std::make_unique<WinogradKernel>(problem, code);
}

}  // namespace fye
