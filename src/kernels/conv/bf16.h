// bf16 <-> float, one value at a time: the rounding that every bf16 convolution is held to.
#pragma once

#include <bit>
#include <cstdint>

namespace fye {

// Round to nearest, ties to even; a NaN stays a (quiet) NaN.
inline uint16_t bf16_from(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

inline float float_from_bf16(uint16_t x) { return std::bit_cast<float>(uint32_t(x) << 16); }

}  // namespace fye
