// The converter's definition: one element after the other, as number.h says.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "kernels/convert/number.h"
#include "kernels/convert/row_table.h"

namespace fye {
namespace {

// Whole numbers of which one is s16, and none a picture's u16.
template <class From, class To>
constexpr bool kByRatio =
    (std::is_same_v<From, int16_t> && (std::is_same_v<To, int16_t> || sizeof(To) == 1)) ||
    (std::is_same_v<To, int16_t> && sizeof(From) == 1);

template <class From, class To>
void flat(const std::byte* in, std::byte* out, ptrdiff_t count, Quant in_quant, Quant out_quant) {
  for (ptrdiff_t i = 0; i < count; ++i) {
    From from;
    std::memcpy(&from, in + i * sizeof(From), sizeof(From));  // pictures of 16 bits may lie at odd addresses
    To to;
    if constexpr (kByRatio<From, To>)
      to = requantised<To>(from, in_quant, out_quant);
    else
      to = Stored<To>::store(Stored<From>::load(from, in_quant), out_quant);
    std::memcpy(out + i * sizeof(To), &to, sizeof(To));
  }
}

template <class T>
void widen(const std::byte* in, std::byte* out, ptrdiff_t pixels, uint32_t gap) {
  const T fill = T(gap);
  for (ptrdiff_t i = 0; i < pixels; ++i) {
    std::memcpy(out + i * 4 * sizeof(T), in + i * 3 * sizeof(T), 3 * sizeof(T));
    std::memcpy(out + (i * 4 + 3) * sizeof(T), &fill, sizeof(T));
  }
}

template <class T>
void narrow(const std::byte* in, std::byte* out, ptrdiff_t pixels, uint32_t) {
  for (ptrdiff_t i = 0; i < pixels; ++i)
    std::memcpy(out + i * 3 * sizeof(T), in + i * 4 * sizeof(T), 3 * sizeof(T));
}

#define FYE_ROW(From) \
  { flat<From, float>, flat<From, Bf16>, flat<From, uint8_t>, flat<From, uint16_t>, flat<From, int16_t> }
#define FYE_ROWS \
  { FYE_ROW(float), FYE_ROW(Bf16), FYE_ROW(uint8_t), FYE_ROW(uint16_t), FYE_ROW(int16_t) }
constexpr RowTable kTable = {"scalar",
                             Isa::scalar,
                             FYE_ROWS,
                             FYE_ROWS,
                             {widen<uint8_t>, widen<uint16_t>},
                             {narrow<uint8_t>, narrow<uint16_t>}};
#undef FYE_ROWS
#undef FYE_ROW

}  // namespace

Reciprocal reciprocal(float scale) {
  int exponent;
  const bool power_of_two = std::frexp(scale, &exponent) == 0.5f;  // its quotients are exact
  return {1 / scale, power_of_two ? 0.5f : 0.5f - kDoubt};
}

float ratio_of(Quant in, Quant out) { return std::min(in.scale / out.scale, kRatioLimit); }

const RowTable& rows_scalar() { return kTable; }

}  // namespace fye
