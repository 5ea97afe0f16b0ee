// RowTable: the converter's inner loops, one table per instruction set; convert.cc picks, tests compare them
// all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/isa.h"
#include "graph/tensor.h"

namespace fye {

// Converts `count` consecutive elements; reads and writes not one byte beyond them. Buffers don't overlap.
using ConvertFlat = void (*)(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant,
                             Quant out_quant);

// What the fast tables divide by a scale with: rows_avx2.cc says how, and why the bits are the same.
struct Reciprocal {
  float inverse;  // 1 / scale
  float certain;  // greatest distance from a whole number that leaves no doubt
};
inline constexpr float kDoubt = 0x1p-13f;

// Quotients are cut off here: beyond every level of 16 bits less any zero point.
inline constexpr float kQuotientLimit = 0x1p17f;

inline constexpr uintptr_t kLine = 64;  // bytes of a cache line of every x86

// Moves `pixels` pixels of three channels between pitch 3 and pitch 4; `gap` goes into the fourth element.
// Not one byte beyond them either.
using Repitch = void (*)(const std::byte* in, std::byte* out, ptrdiff_t pixels, uint32_t gap);

// f32, bf16, u8, u16, s16 in this order, the only types that a map of activations or pixels can have.
inline constexpr int kMapTypes = 5;
constexpr int map_type_index(DType type) {
  switch (type) {
    case DType::f32:
      return 0;
    case DType::bf16:
      return 1;
    case DType::u8:
      return 2;
    case DType::u16:
      return 3;
    case DType::s16:
      return 4;
    default:
      return -1;
  }
}

struct RowTable {
  std::string_view name;
  Isa isa;
  ConvertFlat flat[kMapTypes][kMapTypes];    // [from][to]; equal types requantise (u8, u16) or copy
  ConvertFlat stream[kMapTypes][kMapTypes];  // the same past the caches, for maps that don't fit into them
  Repitch pitch_3_to_4[2], pitch_4_to_3[2];  // elements of one byte, of two
};

const RowTable& rows_scalar();
const RowTable& rows_avx2();
const RowTable& rows_avx512();

Reciprocal reciprocal(float scale);

// s_in / s_out for the fast tables, cut off where one step more than saturates s16 and all steps of s16 fit
// into 32 bits.
inline constexpr float kRatioLimit = 0x1.8p15f;
float ratio_of(Quant in, Quant out);

// The widest table the machine and `max` allow.
const RowTable& choose_rows(Isa max);

}  // namespace fye
