// Number: one value from one storage format to another, the scalar definition that every converter and kernel
// equals.
//
// Not for files compiled for an instruction set (*_avx2.cc and so on): inline functions shared with them
// could be linked into code for smaller machines.
#pragma once

#include <bit>
#include <cstdint>

#include "graph/tensor.h"

namespace fye {

// A stored bfloat16; a type of its own so that templates can tell it from a 16-bit pixel.
struct Bf16 {
  uint16_t bits = 0;
};

inline float to_float(Bf16 v) { return std::bit_cast<float>(uint32_t{v.bits} << 16); }

// Round to nearest, ties to even; NaN stays NaN (made quiet).
inline Bf16 to_bf16(float v) {
  const uint32_t bits = std::bit_cast<uint32_t>(v);
  if (v != v) return {uint16_t(bits >> 16 | 0x40)};
  return {uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

// 1.5 * 2^23: from 2^23 to 2^24 floats are whole numbers, so adding and subtracting it rounds |v| < 2^22 to
// the nearest whole number, ties to even, without a call and in a form that compilers vectorise.
inline constexpr float kRoundBy = 12582912.0f;
inline float round_half_even(float v) { return (v + kRoundBy) - kRoundBy; }

// sat(rne(v) + zero) into [min, max] for v already divided by the scale; NaN gives zero. Clamping comes
// before rounding: the bounds are whole numbers, so the result is the same and no value leaves the range of
// the rounding.
inline int saturate(float v, int zero, int max, int min = 0) {
  const float lo = float(min - zero), hi = float(max - zero);
  v = v == v ? v : 0.0f;
  v = v < lo ? lo : v;
  v = v > hi ? hi : v;
  return int(round_half_even(v)) + zero;
}

// sat(rne(x / scale) + zero), a true division (design.md, section 4).
inline int quantise(float x, Quant q, int max, int min = 0) {
  return saturate(x / q.scale, q.zero, max, min);
}
inline float dequantise(int q, Quant quant) { return quant.scale * float(q - quant.zero); }

// One element of a map of storage type T (float, Bf16, uint8_t, uint16_t, int16_t) as float, and back.
template <class T>
struct Stored;
template <>
struct Stored<float> {
  static float load(float v, Quant) { return v; }
  static float store(float v, Quant) { return v; }
};
template <>
struct Stored<Bf16> {
  static float load(Bf16 v, Quant) { return to_float(v); }
  static Bf16 store(float v, Quant) { return to_bf16(v); }
};
template <>
struct Stored<uint8_t> {
  static float load(uint8_t v, Quant q) { return dequantise(v, q); }
  static uint8_t store(float v, Quant q) { return uint8_t(quantise(v, q, 255)); }
};
template <>
struct Stored<uint16_t> {
  static float load(uint16_t v, Quant q) { return dequantise(v, q); }
  static uint16_t store(float v, Quant q) { return uint16_t(quantise(v, q, 65535)); }
};
template <>
struct Stored<int16_t> {
  static float load(int16_t v, Quant q) { return dequantise(v, q); }
  static int16_t store(float v, Quant q) { return int16_t(quantise(v, q, 32767, -32768)); }
};

// s16 <-> u8 and s16 -> s16: sat(rne(f32(q - z_in) * (s_in / s_out)) + z_out), one float multiplication.
template <class To>
To requantised(int q, Quant in, Quant out) {
  const float steps = float(q - in.zero) * (in.scale / out.scale);
  return sizeof(To) == 1 ? To(saturate(steps, out.zero, 255)) : To(saturate(steps, out.zero, 32767, -32768));
}

}  // namespace fye
