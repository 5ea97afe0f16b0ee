// The version of everything: `fye --version`, the library, packages; the same as in CMakeLists.txt (tests/house_test.py compares them).
#pragma once

#include <string_view>

namespace fye {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace fye
