// Value: a constant of a model, decoded from whichever form ONNX stored it in.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "graph/tensor.h"
#include "import/onnx_import.h"

namespace fye {

// Floating-point types are in `floats`, whole numbers and booleans in `ints`; one of the two has
// element_count(shape) values.
struct Value {
  Shape shape;
  int type = 0;  // onnx::TensorProto::DataType, as in the file
  std::vector<float> floats;
  std::vector<int64_t> ints;

  bool is_float() const;
};

// "FLOAT", "INT8", or the number if ONNX 1.12 has no name for it.
std::string type_name(int type);

// FLOAT, FLOAT16, BFLOAT16, DOUBLE: what fye computes with, as f32.
bool is_float_type(int type);

// Rank at most 8, dimensions 0 to 2^24, and exactly as many bytes as the shape says. External data is looked
// for in `folder`. Errors (bad_input) say what is wrong with the tensor, without its name.
Result<Value> read_value(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
                         const ImportLimits& limits);

// Checked dimensions of a declared shape: rank at most 8, each 0 to 2^24.
inline constexpr int kMaxRank = 8;
inline constexpr int64_t kMaxDimension = int64_t{1} << 24;

}  // namespace fye
