// A model file of any format that fye reads.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "import/imported.h"

namespace fye {

// By extension: .param (ncnn, its .bin beside it); anything else is taken for ONNX. Errors: as import_ncnn()
// and import_onnx(); a .bin alone.
Result<Imported> import_model(const std::filesystem::path& path, const ImportLimits& limits = {});

}  // namespace fye
