// The portable int8 epilogue: requantise 4 accumulators a vector, pack up to four vectors of a pixel to 16
// bytes, or each to 4 numbers of 16 bits.
#pragma once

#include "kernels/conv/portable4-inl.h"

namespace fye {
namespace {

using Ints = hn::Vec<S32x4>;
using Floats = hn::Vec<F32x4>;

// One pixel's residual: B * (q_r - z_r) for 4 lanes at a time.
class Residual {
 public:
  Residual(const DirectEpilogue& e, const std::byte* pixel)
      : e_(e), pixel_(reinterpret_cast<const uint8_t*>(pixel)), repeated_(hn::Zero(F32x4())) {
    if (e.residual == ResidualKind::repeated) repeated_ = scaled(pixel_);
  }
  Floats at(int channel, int slot) const {
    if (e_.residual == ResidualKind::plain) return scaled(pixel_ + channel);
    const int32_t* index = e_.residual_index + slot;
    if (e_.residual == ResidualKind::repeated)
      return hn::TableLookupLanes(repeated_, hn::SetTableIndices(F32x4(), index));
    const uint8_t levels[] = {pixel_[index[0]], pixel_[index[1]], pixel_[index[2]], pixel_[index[3]]};
    return scaled(levels);
  }

 private:
  Floats scaled(const uint8_t* levels) const {
    const hn::Rebind<uint8_t, S32x4> four;
    const Ints steps = hn::Sub(hn::PromoteTo(S32x4(), hn::LoadU(four, levels)), hn::Set(S32x4(), e_.z_res));
    return hn::Mul(hn::Set(F32x4(), e_.b), hn::ConvertTo(F32x4(), steps));
  }
  const DirectEpilogue& e_;
  const uint8_t* pixel_;
  Floats repeated_;  // all channels of the pixel, once
};

// rne(f32(acc) * M [+ B * residual]), clamped first only where the conversion could overflow otherwise.
template <bool kPlain>
Ints requantise(Ints acc, const DirectEpilogue& e, const Residual& residual, int channel, int slot) {
  const F32x4 tag;
  const Floats x = hn::ConvertTo(tag, acc);
  Floats m = hn::LoadU(tag, e.positive + slot);
  if constexpr (kPlain) return hn::NearestInt(hn::Mul(x, m));
  if (e.has_slope)
    m = hn::IfThenElse(hn::RebindMask(tag, hn::Lt(acc, hn::Zero(S32x4()))), hn::LoadU(tag, e.negative + slot),
                       m);
  Floats y = hn::Mul(x, m);
  if (e.residual != ResidualKind::none) y = hn::Add(y, residual.at(channel, slot));
  if (!e.bounded) y = hn::Min(hn::Set(tag, float(255 - e.z)), hn::Max(hn::Set(tag, float(-e.z)), y));
  return hn::NearestInt(y);
}

// The bytes of four vectors, in order, with the zero point added and the bounds applied. Saturation to 16
// bits on the way changes nothing: what lies beyond is beyond 0..255 too.
inline hn::Vec<U8x16> pack_levels(const Ints (&q)[4], const DirectEpilogue& e, hn::Vec<U8x16> upper) {
  const S16x8 words;
  const U8x16 bytes;
  const hn::Half<S16x8> four_words;
  const hn::Half<U8x16> eight_bytes;
  const auto z = hn::Set(words, int16_t(e.z));
  const auto eight = [&](Ints low, Ints high) {
    const auto both = hn::Combine(words, hn::DemoteTo(four_words, high), hn::DemoteTo(four_words, low));
    return hn::DemoteTo(eight_bytes, hn::SaturatedAdd(both, z));
  };
  const auto all = hn::Combine(bytes, eight(q[2], q[3]), eight(q[0], q[1]));
  return hn::Min(upper, hn::Max(hn::Set(bytes, uint8_t(e.q_lo)), all));
}

// acc(p, v): accumulators of pixel x + p, vector v. The structs are copies so that stores to the map can't be
// taken for changes of them.
template <int V, bool kPlain, class Acc>
void finish_int8_pixels(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                        const DirectEpilogue e, int x) {
  const int stored = block.channels + (block.last ? row.gap : 0);
  const auto upper = hn::LoadU(U8x16(), e.upper + block.slot);
  for (int p = 0; p < pixels; ++p) {
    const Residual residual(e, row.residual + (x + p) * row.residual_pixel);
    Ints q[4] = {hn::Zero(S32x4()), hn::Zero(S32x4()), hn::Zero(S32x4()), hn::Zero(S32x4())};
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v)
      q[v] = requantise<kPlain>(acc(p, v), e, residual, block.first + v * 4, block.slot + v * 4);
    alignas(16) uint8_t levels[16];
    hn::Store(pack_levels(q, e, upper), U8x16(), levels);
    std::byte* to = row.out + (x + p) * row.out_pixel + block.first;
    if (stored == V * 4 || (row.spill && x + p + 1 < row.width))
      __builtin_memcpy(to, levels, V * 4);
    else
      __builtin_memcpy(to, levels, size_t(stored));
  }
}

// 16-bit outputs and residuals, a vector at a time.
template <int V, class Acc>
void finish_wide(const Acc& acc, int pixels, const DirectRow row, const DirectBlock block,
                 const DirectEpilogue e, int x) {
  const F32x4 tag;
  const hn::Half<S16x8> four_words;
  const int stored = block.channels + (block.last ? row.gap : 0);
  for (int p = 0; p < pixels; ++p) {
    const bool spill = row.spill && x + p + 1 < row.width;
    const std::byte* residual = row.residual + (x + p) * row.residual_pixel;
    int16_t* to = reinterpret_cast<int16_t*>(row.out + (x + p) * row.out_pixel) + block.first;
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      const int slot = block.slot + v * 4;
      const Ints sums = acc(p, v);
      Floats m = hn::LoadU(tag, e.positive + slot);
      if (e.has_slope)
        m = hn::IfThenElse(hn::RebindMask(tag, hn::Lt(sums, hn::Zero(S32x4()))),
                           hn::LoadU(tag, e.negative + slot), m);
      Floats y = hn::Mul(hn::ConvertTo(tag, sums), m);
      if (!e.bounded) y = hn::Min(hn::Set(tag, 32767), hn::Max(hn::Set(tag, -32768), y));
      auto q = hn::DemoteTo(four_words, hn::NearestInt(y));
      if (e.residual != ResidualKind::none)
        q = hn::SaturatedAdd(
            q, hn::LoadU(four_words, reinterpret_cast<const int16_t*>(residual + (block.first + v * 4) * 2)));
      q = hn::Min(hn::LoadU(four_words, e.upper16 + slot),
                  hn::Max(hn::LoadU(four_words, e.lower16 + slot), q));
      const int count = stored - v * 4;
      if (count >= 4 || spill) {
        hn::StoreU(q, four_words, to + v * 4);
      } else {
        int16_t buffer[4];
        hn::StoreU(q, four_words, buffer);
        __builtin_memcpy(to + v * 4, buffer, size_t(count) * 2);
      }
    }
  }
}

template <int V, class Acc>
void finish_int8(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                 const DirectEpilogue& e, int x) {
  if (e.upper16)
    finish_wide<V>(acc, pixels, row, block, e, x);
  else if (e.bounded && !e.has_slope && e.residual == ResidualKind::none)
    finish_int8_pixels<V, true>(acc, pixels, row, block, e, x);
  else
    finish_int8_pixels<V, false>(acc, pixels, row, block, e, x);
}

}  // namespace
}  // namespace fye
