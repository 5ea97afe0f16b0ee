#include "graph/tensor.h"

namespace fye {

std::string_view name(DType type) {
  switch (type) {
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::u8:
      return "u8";
    case DType::u16:
      return "u16";
    case DType::s8:
      return "s8";
    case DType::s16:
      return "s16";
    case DType::s32:
      return "s32";
  }
  return "?";
}

std::string_view name(Numbers numbers) {
  switch (numbers) {
    case Numbers::f32:
      return "f32";
    case Numbers::bf16:
      return "bf16";
    case Numbers::int8:
      return "int8";
    case Numbers::int8r16:
      return "int8r16";
  }
  return "?";
}

std::optional<Numbers> numbers_from(std::string_view text) {
  for (const Numbers numbers : kAllNumbers)
    if (name(numbers) == text) return numbers;
  return std::nullopt;
}

int64_t element_count(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape)
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return -1;
  return count;
}

}  // namespace fye
