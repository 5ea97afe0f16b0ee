// Portable float policies, for float_epilogue-inl.h, direct-inl.h and narrow-inl.h.
#pragma once

#include "kernels/conv/float_epilogue-inl.h"
#include "kernels/conv/portable4-inl.h"

namespace fye {
namespace {

struct Float4 {
  using Vector = hn::Vec<F32x4>;
  static constexpr int kLanes = 4, kElement = 4;

  static Vector set(float x) { return hn::Set(F32x4(), x); }
  static Vector load(const float* p) { return hn::LoadU(F32x4(), p); }
  // NaN in the second operand stays NaN: SSE gives the second operand then, NEON gives NaN for either.
  static Vector max(Vector a, Vector b) { return hn::Max(a, b); }
  static Vector min(Vector a, Vector b) { return hn::Min(a, b); }
  static Vector add(Vector a, Vector b) { return hn::Add(a, b); }
  static Vector subtract(Vector a, Vector b) { return hn::Sub(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return hn::MulAdd(a, b, c); }
  static Vector scale_negative(Vector y, Vector slope) {
    return hn::IfThenElse(hn::Lt(y, hn::Zero(F32x4())), hn::Mul(y, slope), y);
  }
  static Vector residual(const DirectEpilogue& e, const std::byte* pixel, int channel, int slot) {
    const float* from = reinterpret_cast<const float*>(pixel);
    if (e.residual == ResidualKind::plain) return load(from + channel);
    const int32_t* index = e.residual_index + slot;
    if (e.residual == ResidualKind::repeated)
      return hn::TableLookupLanes(load(from), hn::SetTableIndices(F32x4(), index));
    const float values[] = {from[index[0]], from[index[1]], from[index[2]], from[index[3]]};
    return load(values);
  }
  static Vector first_lanes(Vector y, int count) {
    return hn::IfThenElseZero(hn::FirstN(F32x4(), size_t(count)), y);
  }
  static void store(std::byte* to, Vector y) { hn::StoreU(y, F32x4(), reinterpret_cast<float*>(to)); }
  static void store_part(std::byte* to, Vector y, int count) {
    float values[4];
    hn::StoreU(y, F32x4(), values);
    __builtin_memcpy(to, values, size_t(count) * sizeof(float));
  }
};

// Without FMA a product needs a register of its own: fewer accumulators than kPixels16 has.
inline constexpr int kPixelsF32[] = {0, 8, 5, 3, 2};

struct F32Dot4 : Sums4<F32x4> {
  static constexpr const int* kPixels = kManyRegisters ? kPixels32 : kPixelsF32;
  static constexpr bool kHasRest = false;

  static Vector start(const DirectEpilogue& e, int slot) {
    return Float4::load(static_cast<const float*>(e.start) + slot);
  }
  template <int P, int V>
  static void step(Vector (&acc)[P][V], const Pixels<P>& in, const std::byte* weights) {
    const float* w = reinterpret_cast<const float*>(weights);
    if constexpr (P > V) {  // keep the smaller side in registers
      Vector held[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) held[v] = hn::Load(F32x4(), w + v * kLanes);
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) {
        const Vector x = Float4::set(group_at<float>(in[p]));
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[p][v] = hn::MulAdd(x, held[v], acc[p][v]);
      }
    } else {
      Vector x[P];
#pragma GCC unroll 12
      for (int p = 0; p < P; ++p) x[p] = Float4::set(group_at<float>(in[p]));
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const Vector held = hn::Load(F32x4(), w + v * kLanes);
#pragma GCC unroll 12
        for (int p = 0; p < P; ++p) acc[p][v] = hn::MulAdd(x[p], held, acc[p][v]);
      }
    }
  }
  static Vector inputs(const std::byte* p) { return Float4::load(reinterpret_cast<const float*>(p)); }
  // What lies beyond may be NaN.
  static Vector first_inputs(const std::byte* p, int groups) {
    return Float4::first_lanes(inputs(p), groups);
  }
  static Vector dot(Vector acc, Vector inputs, const std::byte* weights) {
    return hn::MulAdd(inputs, hn::Load(F32x4(), reinterpret_cast<const float*>(weights)), acc);
  }
  template <int V>
  static void finish(const Vector* acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Float4, V>([acc](int p, int v) { return acc[p * V + v]; }, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
