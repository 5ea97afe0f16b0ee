// ONNX in: a model file, checked as hostile input, becomes a Graph (and a Calib if it is quantised).
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "import/imported.h"

namespace fye {

// Opset 11 to 17, and newer where the ops used did not change. Errors (bad_input) name the file and the node: unknown op, wrong
// shape or attribute, external data outside the model's folder, sizes beyond the limits or without bytes behind them.
Result<Imported> import_onnx(const std::filesystem::path& path, const ImportLimits& limits = {});

// The same from bytes; `folder` is where external data may lie (empty: refused). `name` is used in errors.
Result<Imported> import_onnx_bytes(std::string_view bytes, std::string_view name,
                                   const std::filesystem::path& folder, const ImportLimits& limits = {});

}  // namespace fye
