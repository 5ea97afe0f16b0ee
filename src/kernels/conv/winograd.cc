// Goes along rows of tiles, some tiles at a time, so that their transformed squares and sums stay in the
// second level cache: forward transforms, products, transforms back with the epilogue.
#include "kernels/conv/winograd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/buffer.h"
#include "kernels/conv/pack.h"
#include "kernels/conv/requant.h"
#include "kernels/convert/number.h"

namespace fye {
namespace {

// Half of the second level cache of the smallest machine that matters (512 kB), and few enough tiles for the
// first level to hold one element's share of them.
constexpr int kScratchBytes = 256 << 10, kMostTiles = 24, kFewestTiles = 6;

constexpr int kSumBytes = 4;  // float or int32

int round_up(int n, int step) { return (n + step - 1) / step * step; }

constexpr int kTile = kWinogradTile, kSide = kWinogradSide, kElements = kSide * kSide;

// G g G^T of one 3 x 3 kernel.
template <class Weight>
std::array<double, kElements> transformed(const double (&rows)[kSide][3], const Weight* g) {
  std::array<double, kElements> u{};
  for (int i = 0; i < kSide; ++i)
    for (int j = 0; j < kSide; ++j)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x) u[size_t(i * kSide + j)] += rows[i][y] * g[y * 3 + x] * rows[j][x];
  return u;
}

// For the points of winograd_float-inl.h: the row of point p is (1, p, p^2) / the product of its distances to
// the others.
DirectPack pack_float(const ConvProblem& p, const DirectCode& code) {
  const double a = std::sqrt(0.5), b = std::sqrt(2.0);
  const double rows[6][3] = {{1, 0, 0},
                             {-2.0 / 3, -2.0 / 3 * a, -1.0 / 3},
                             {-2.0 / 3, 2.0 / 3 * a, -1.0 / 3},
                             {1.0 / 6, b / 6, 1.0 / 3},
                             {1.0 / 6, -b / 6, 1.0 / 3},
                             {0, 0, 1}};
  std::vector<std::array<double, kElements>> squares;
  std::vector<float> weight = p.weight;
  if (code.numbers == Numbers::bf16)
    for (float& w : weight) w = to_float(to_bf16(w));
  for (size_t k = 0; k < weight.size(); k += 9) squares.push_back(transformed(rows, &weight[k]));
  return pack_products(p, code, kElements, p.in_channels, [&](int c, int element, int group) {
    return std::bit_cast<uint32_t>(
        float(squares[size_t(c) * size_t(p.in_channels) + size_t(group)][size_t(element)]));
  });
}

// For the points of winograd_whole-inl.h, times 24 and 12: two channels of 16 bits a group.
DirectPack pack_int8(const ConvProblem& p, const DirectCode& code) {
  const double rows[kSide][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4}, {1, 2, 4}, {1, -2, 4}, {0, 0, 12}};
  std::vector<std::array<double, kElements>> squares;
  for (size_t k = 0; k < p.weight_q.size(); k += 9) squares.push_back(transformed(rows, &p.weight_q[k]));
  return pack_products(p, code, kElements, (p.in_channels + 1) / 2, [&](int c, int element, int group) {
    uint32_t both = 0;
    for (int i = 0; i < 2 && group * 2 + i < p.in_channels; ++i) {
      const double u = squares[size_t(c) * size_t(p.in_channels) + size_t(group * 2 + i)][size_t(element)];
      both |= uint32_t(uint16_t(int16_t(u))) << 16 * i;
    }
    return both;
  });
}

// A thread's memory for transformed tiles; it grows to the largest layer's.
std::byte* scratch(size_t bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < bytes) buffer = Buffer(bytes);
  return buffer.data();
}

// Rows of a map that are needed soon, or none. The products leave the memory idle; fetched meanwhile, what the
// transforms touch next need not be waited for. They take strides that no prefetcher of a processor foresees.
class Ahead {
 public:
  Ahead() = default;
  // `count` rows from (y, x) on, `width` pixels each, as far as they lie in the map.
  Ahead(const Map& map, int y, int x, int count, int width) : row_bytes_(map.row_bytes) {
    const Region& r = map.region;
    const int top = std::max(y, r.y), left = std::max(x, r.x);
    rows_ = std::min(y + count, r.y + r.h) - top;
    const ptrdiff_t bytes = ptrdiff_t(std::min(x + width, r.x + r.w) - left) * map.pitch * size_of(map.type);
    if (rows_ <= 0 || bytes <= 0) return;
    first_ = pixel_at(map, top, left);
    lines_ = (bytes + ptrdiff_t(kAlignment) - 1) / ptrdiff_t(kAlignment);
  }

  // Part `index` of `parts` of it.
  void fetch(int index, int parts) const {
    const ptrdiff_t end = lines_ * (index + 1) / parts;
    for (ptrdiff_t line = lines_ * index / parts; line < end; ++line)
      for (int row = 0; row < rows_; ++row)
        __builtin_prefetch(first_ + row * row_bytes_ + line * ptrdiff_t(kAlignment), 0, 2);
  }

 private:
  const std::byte* first_ = nullptr;
  ptrdiff_t row_bytes_ = 0, lines_ = 0;
  int rows_ = 0;
};

class WinogradKernel final : public Kernel {
 public:
  WinogradKernel(const ConvProblem& problem, const WinogradCode& code)
      : code_(code),
        pad_top_(problem.pad_top),
        pad_left_(problem.pad_left),
        in_channels_(problem.in_channels),
        residual_(problem.residual),
        grain_{.size = kTile, .row = problem.grain_row % kTile},
        outside_(code.products.numbers == Numbers::int8 ? problem.in.zero : 0),
        pack_(code.products.numbers == Numbers::int8 ? pack_int8(problem, code.products)
                                                     : pack_float(problem, code.products)) {
    DirectCode stored = code.products;
    stored.max_vectors = kMaxVectors;
    out_blocks_ = cut_blocks(problem, stored);
    const int vector = code.products.lanes * kSumBytes;
    const DirectBlock& last = pack_.blocks.back();
    in_tile_ = round_up(in_channels_ * code.element_bytes, vector);
    sum_tile_ = (last.slot + last.vectors * code.products.lanes) * kSumBytes;
    const int tile_bytes = kElements * (in_tile_ + sum_tile_);
    // Whole blocks of the products, or a few tiles at the end would read all weights for themselves.
    const int block = code.pixels[pack_.blocks.front().vectors], step = round_up(kFewestTiles, block);
    tiles_ = std::clamp(kScratchBytes / tile_bytes / block * block, step, kMostTiles / block * block);
  }

  Grain grain() const override { return grain_; }
  std::string_view variant() const override { return code_.name; }

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const Layout at = layout(ptrdiff_t(in[0].pitch) * size_of(in[0].type));
    WinogradOutput to;
    set_output(to.row, out, residual_ ? &in[1] : nullptr, out_blocks_.back(), code_.products.lanes);
    to.out_row = out.row_bytes;
    if (residual_) to.residual_row = in[1].row_bytes;
    const int right = out.region.x + out.region.w;
    for (int y = grain_.row_before(y0); y < y1; y += kTile) {
      to.row.out = pixel_at(out, y, out.region.x);
      if (residual_) to.row.residual = pixel_at(in[1], y, out.region.x);
      to.first_row = std::max(0, y0 - y);
      to.end_row = std::min(kTile, y1 - y);
      for (int x = out.region.x / kTile * kTile; x < right; x += kTile * tiles_) {
        to.tiles = std::min(tiles_, (right - x + kTile - 1) / kTile);
        to.x = x - out.region.x;
        forward(in[0], y - pad_top_, x - pad_left_, to.tiles, at);
        const std::array<Ahead, 3> ahead = look_ahead(in, out, y, x, to.tiles);
        multiply(to.tiles, at, ahead);
        for (const DirectBlock& block : out_blocks_) code_.output(to, at.sums, block, pack_.epilogue);
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
    std::byte* outside;  // a row of a tile's inputs, as padding
    std::byte* border;   // the inputs of a tile at the border
    ptrdiff_t border_row;
  };

  Layout layout(ptrdiff_t pixel) const {
    const auto planes = [&](int tile) {
      WinogradPlanes p{.plane = ptrdiff_t(tiles_) * tile, .tile = tile};
      // An odd number of cache lines apart, so that the planes of a tile spread over the cache's sets.
      if (p.plane / kAlignment % 2 == 0) p.plane += kAlignment;
      return p;
    };
    Layout at{.squares = planes(in_tile_), .sums = planes(sum_tile_)};
    at.border_row = round_up(int(kSide * pixel), kAlignment);
    const size_t slack = kSlack;  // vectors reach beyond the last channel
    at.squares.data = scratch(size_t(kElements * (at.squares.plane + at.sums.plane)) +
                              size_t(kSide + 1) * size_t(at.border_row) + 2 * slack);
    at.sums.data = at.squares.data + kElements * at.squares.plane;
    at.outside = at.sums.data + kElements * at.sums.plane;
    std::memset(at.outside, outside_, size_t(at.border_row) + slack);
    at.border = at.outside + at.border_row + slack;
    return at;
  }

  // `tiles` squares whose first input is (y, x). What lies outside the region is outside the map, as the
  // region covers whole tiles: zero.
  void forward(const Map& in, int y, int x, int tiles, const Layout& at) const {
    WinogradInput from{.pixel = ptrdiff_t(in.pitch) * size_of(in.type), .channels = in_channels_};
    const int left = in.region.x, right = left + in.region.w;
    const auto inside = [&](int column) { return column >= left && column + kSide <= right; };
    for (int t = 0; t < tiles;) {
      const int column = x + t * kTile;
      from.tiles = 1;
      if (inside(column))
        while (t + from.tiles < tiles && inside(column + from.tiles * kTile)) ++from.tiles;
      for (int i = 0; i < kSide; ++i) {
        const bool there = y + i >= in.region.y && y + i < in.region.y + in.region.h;
        from.rows[i] = !there           ? at.outside
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

  // Row y of a square from column x on, padding where the region ends, in `to`.
  const std::byte* border_row(const Map& in, int y, int x, std::byte* to) const {
    const ptrdiff_t pixel = ptrdiff_t(in.pitch) * size_of(in.type);
    const int begin = std::clamp(in.region.x, x, x + kSide),
              end = std::clamp(in.region.x + in.region.w, begin, x + kSide);
    std::memset(to, outside_, size_t(kSide * pixel));
    if (end > begin)
      std::memcpy(to + (begin - x) * pixel, pixel_at(in, y, begin), size_t((end - begin) * pixel));
    return to;
  }

  // What follows the products of `tiles` tiles of output row y from column x on: their output and residual, and
  // the input of the tiles after them. Maps of bytes are small enough to be near: fetching them gains nothing
  // (docs/results.md).
  std::array<Ahead, 3> look_ahead(std::span<const Map> in, const Map& out, int y, int x, int tiles) const {
    if (code_.products.numbers == Numbers::int8) return {};
    const int next = x + kTile * tiles_, width = kTile * tiles_ + kSide - kTile;
    const bool same_row = next < out.region.x + out.region.w;
    const int next_x = same_row ? next : out.region.x / kTile * kTile, next_y = same_row ? y : y + kTile;
    return {Ahead(in[0], next_y - pad_top_, next_x - pad_left_, kSide, width),
            Ahead(out, y, x, kTile, kTile * tiles),
            residual_ ? Ahead(in[1], y, x, kTile, kTile * tiles) : Ahead()};
  }

  void multiply(int tiles, const Layout& at, std::span<const Ahead> ahead) const {
    DirectRow row{.in_pixel = at.squares.tile, .kernel_h = 1, .runs = 1, .groups = pack_.groups};
    row.out_pixel = at.sums.tile;
    row.width = tiles;
    for (int e = 0; e < kElements; ++e) {
      row.in = at.squares.data + e * at.squares.plane;
      row.out = at.sums.data + e * at.sums.plane;
      for (DirectBlock block : pack_.blocks) {
        block.weights += ptrdiff_t(e) * pack_.groups * block.vectors * code_.products.lanes * kSumBytes;
        code_.products.row(row, block, pack_.epilogue);
      }
      for (const Ahead& memory : ahead) memory.fetch(e, kElements);
    }
  }

  const WinogradCode& code_;
  int pad_top_, pad_left_, in_channels_;
  bool residual_;
  Grain grain_;
  int outside_;  // a byte of padding
  DirectPack pack_;
  std::vector<DirectBlock> out_blocks_;  // as the epilogue takes them; the same slots as the products' blocks
  int in_tile_ = 0, sum_tile_ = 0;       // bytes of a tile's element, whole vectors
  int tiles_ = 0;                        // at a time
};

}  // namespace

namespace {

// True if the sums of products with levels of 0..255 stay within 2^25 (winograd_whole-inl.h).
bool sums_are_exact(const ConvProblem& p) {
  constexpr int kMost = (1 << 25) / 255 - 1;
  const size_t taps = p.weight_q.size() / size_t(p.out_channels);
  for (size_t first = 0; first < p.weight_q.size(); first += taps) {
    int below = 0, above = 0;
    for (size_t k = first; k < first + taps; ++k) (p.weight_q[k] < 0 ? below : above) += p.weight_q[k];
    if (above > kMost || -below > kMost) return false;
  }
  return true;
}

}  // namespace

std::string_view winograd_refuses(const ConvProblem& p, const WinogradCode& code) {
  if (p.kernel_h != 3 || p.kernel_w != 3) return "the kernel is not 3 x 3";
  if (p.stride_h != 1 || p.stride_w != 1 || p.dilation_h != 1 || p.dilation_w != 1 || p.group != 1)
    return "stride, dilation and groups other than 1 have no Winograd form";
  if (std::min(p.in_channels, p.out_channels) < code.fewest_channels)
    return "the direct form is faster with so few channels";
  if (code.products.numbers == Numbers::int8)
    return sums_are_exact(p) ? requant_refusal(p)
                             : "sums of so large weights may leave the range that is exact";
  for (const Activation* act : {&p.act, &p.post})
    if (act->kind == Activation::Kind::tanh || act->kind == Activation::Kind::sigmoid)
      return "tanh and sigmoid are left to the direct form";
  return {};
}

std::unique_ptr<Kernel> prepare_winograd(const ConvProblem& problem, const WinogradCode& code) {
  return std::make_unique<WinogradKernel>(problem, code);
}

}  // namespace fye
