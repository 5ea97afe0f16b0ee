// SHA-256 (FIPS 180-4): what ties calibration, profile and plan files to a model file.
#pragma once

#include <string>
#include <string_view>

namespace fye {

// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace fye
