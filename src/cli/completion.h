// Completions of the command line for bash, zsh and fish.
#pragma once

#include <string>

#include "cli/program.h"

namespace fye {

// To be read by bash (bash-completion's folder, file fye), zsh ($fpath, file _fye) and fish
// (vendor_completions.d, file fye.fish).
std::string bash_completion(const Program& program);
std::string zsh_completion(const Program& program);
std::string fish_completion(const Program& program);

}  // namespace fye
