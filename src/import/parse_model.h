// From bytes to ONNX's protobuf classes, without trusting the bytes.
#pragma once

#include <onnx/onnx_pb.h>

#include <string_view>

#include "base/result.h"

namespace fye {

// `name` is used in errors. Messages nest at most 32 deep; together they have at most `max_fields` fields (a
// field of two bytes can cost hundreds in memory). Errors: no ONNX model, or more than that.
Result<onnx::ModelProto> parse_model(std::string_view bytes, std::string_view name, int64_t max_fields);

}  // namespace fye
