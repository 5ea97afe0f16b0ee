// What the exit codes of fye mean, for `fye explain CODE` (docs/formats.md has the same table).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fye {

// A few lines for a person about an exit code, given as its number or its name ("deadline"); nothing for any
// other word.
std::optional<std::string> explained_exit_code(std::string_view code);

}  // namespace fye
