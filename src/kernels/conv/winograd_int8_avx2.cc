// Winograd convolution F(2x2, 3x3) on 256-bit vectors, int8, exact: transforms and products in whole numbers.
//
// Squares are 16-bit: differences and sums of u8 levels in two directions lie in [-1020, 1020]. Sums are
// modulo 2^32, as are those of the direct form, and four times as large; winograd_refuses_int8() sees to it
// that the last one fits.
#include <immintrin.h>

#include "kernels/conv/int8_epilogue_avx2-inl.h"
#include "kernels/conv/vector8-inl.h"
#include "kernels/conv/winograd-inl.h"

namespace fye {
namespace {

constexpr int kTile = 2, kSide = 4, kChannels = 16;  // channels: of a vector of squares

// Pairs of 16-bit channels by vpmaddwd.
struct Int16Dot : IntSums8 {
  static constexpr int kLanes = 8;
  static constexpr const int* kPixels = kPixels16;
  static constexpr bool kHasRest = false;

  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const Vector* w = reinterpret_cast<const Vector*>(weights);
    Vector held[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) held[v] = _mm256_load_si256(w + v);
#pragma GCC unroll 12
    for (int p = 0; p < P; ++p) {
      const Vector x = _mm256_set1_epi32(group_at<int>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[p][v] = _mm256_add_epi32(acc[p][v], _mm256_madd_epi16(x, held[v]));
    }
  }
};

void forward(const __m256i (&x)[kSide], __m256i (&y)[kSide]) {
  y[0] = _mm256_sub_epi16(x[0], x[2]);
  y[1] = _mm256_add_epi16(x[1], x[2]);
  y[2] = _mm256_sub_epi16(x[2], x[1]);
  y[3] = _mm256_sub_epi16(x[1], x[3]);
}

// One column of a square's inputs, transformed downwards.
void column(const WinogradInput& in, ptrdiff_t at, __m256i (&y)[kSide]) {
  __m256i x[kSide];
#pragma GCC unroll 4
  for (int i = 0; i < kSide; ++i)
    x[i] = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in.rows[i] + at)));
  forward(x, y);
}

// Neighbouring squares share two columns.
void input(const WinogradInput& in, const WinogradPlanes& to) {
  for (int c = 0; c < in.channels; c += kChannels) {
    __m256i down[kSide][kSide];  // by column
    column(in, c, down[0]);
    column(in, c + in.pixel, down[1]);
    std::byte* out = to.data + c * 2;
    for (int t = 0; t < in.tiles; ++t, out += to.tile) {
      column(in, c + (kTile * t + 2) * in.pixel, down[2]);
      column(in, c + (kTile * t + 3) * in.pixel, down[3]);
#pragma GCC unroll 4
      for (int i = 0; i < kSide; ++i) {
        __m256i x[kSide], y[kSide];
#pragma GCC unroll 4
        for (int j = 0; j < kSide; ++j) x[j] = down[j][i];
        forward(x, y);
#pragma GCC unroll 4
        for (int j = 0; j < kSide; ++j)
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (i * kSide + j) * to.plane), y[j]);
        down[0][i] = down[2][i];
        down[1][i] = down[3][i];
      }
    }
  }
}

void back(const __m256i (&m)[kSide], __m256i (&y)[kTile]) {
  y[0] = _mm256_add_epi32(_mm256_add_epi32(m[0], m[1]), m[2]);
  y[1] = _mm256_sub_epi32(_mm256_sub_epi32(m[1], m[2]), m[3]);
}

struct Form {
  using Vector = __m256i;
  static constexpr int kTile = fye::kTile, kLanes = 8;

  static void tile(const std::byte* sums, ptrdiff_t plane, const DirectEpilogue& e, int slot,
                   Vector (&acc)[kTile][kTile]) {
    Vector down[kTile][kSide];
#pragma GCC unroll 4
    for (int j = 0; j < kSide; ++j) {
      Vector m[kSide], y[kTile];
#pragma GCC unroll 4
      for (int i = 0; i < kSide; ++i)
        m[i] = _mm256_load_si256(reinterpret_cast<const Vector*>(sums + (i * kSide + j) * plane));
      back(m, y);
      down[0][j] = y[0];
      down[1][j] = y[1];
    }
    const Vector start =
        _mm256_loadu_si256(reinterpret_cast<const Vector*>(static_cast<const int32_t*>(e.start) + slot));
#pragma GCC unroll 2
    for (int i = 0; i < kTile; ++i) {
      back(down[i], acc[i]);
#pragma GCC unroll 2
      for (int j = 0; j < kTile; ++j)  // a quarter: pack_int8() in winograd.cc
        acc[i][j] = _mm256_add_epi32(_mm256_srai_epi32(acc[i][j], 2), start);
    }
  }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_int8<V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace

const WinogradCode kWinogradInt8Avx2 = {.name = "winograd-avx2",
                                        .tile = kTile,
                                        .element_bytes = 2,
                                        .products = {.name = "winograd-avx2",
                                                     .numbers = Numbers::int8,
                                                     .lanes = 8,
                                                     .max_vectors = 2,  // six tiles share their weights
                                                     .row = direct_row<Sums<Int16Dot>>},
                                        .input = input,
                                        .output = winograd_output<Form>};

}  // namespace fye
