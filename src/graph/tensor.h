// Tensors: number formats, shapes, quantisation of one tensor, constants.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fye {

// How one element is stored.
enum class DType : uint8_t { f32, bf16, u8, u16, s8, s16, s32 };

constexpr int size_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::s32:
      return 4;
    case DType::bf16:
    case DType::u16:
    case DType::s16:
      return 2;
    default:
      return 1;
  }
}
std::string_view name(DType type);

// The number format that a unit computes in; `--numbers` of the CLI. Decides how its activations are stored. int8r16 is int8
// whose residual adds are s16 (design.md, section 4; graph/trunk.h says which tensors).
enum class Numbers : uint8_t { f32, bf16, int8, int8r16 };
inline constexpr Numbers kAllNumbers[] = {Numbers::f32, Numbers::bf16, Numbers::int8, Numbers::int8r16};
std::string_view name(Numbers numbers);
std::optional<Numbers> numbers_from(std::string_view name);
constexpr DType storage(Numbers numbers) {
  return numbers == Numbers::f32 ? DType::f32 : numbers == Numbers::bf16 ? DType::bf16 : DType::u8;
}

// real = scale * (q - zero). Activations are u8, 0 <= zero <= 255, or s16 with zero 0 (design.md, section 4); a u16 picture is
// {1 / 257, 0}.
struct Quant {
  float scale = 1;
  int zero = 0;
  bool operator==(const Quant&) const = default;
};

// Dimensions in ONNX order: NCHW for feature maps. -1 = not known before the input's size is.
using Shape = std::vector<int64_t>;

// Product of the dimensions; -1 if one is unknown or the product does not fit.
int64_t element_count(const Shape& shape);

// Weights, biases and other fixed values, dense in ONNX order (convolutions: [out, in / group, kh, kw]).
struct Constant {
  Shape shape;
  std::vector<float> values;
};

}  // namespace fye
