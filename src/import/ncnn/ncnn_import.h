// ncnn in: NAME.param (text) and NAME.bin beside it, checked as hostile input, become a Graph.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "import/imported.h"

namespace fye {

// The layers of layers.h's table with f32 or f16 weights. The graph's sha256 is that of both files' bytes,
// text first. Errors (bad_input) name the file and the layer: unknown layer, numbers that change the meaning,
// weights that don't fit, bytes left over.
Result<Imported> import_ncnn(const std::filesystem::path& param, const ImportLimits& limits = {});

// The same from bytes; `name` is used in errors.
Result<Imported> import_ncnn_bytes(std::string_view param, std::string_view bin, std::string_view name,
                                   const ImportLimits& limits = {});

}  // namespace fye
