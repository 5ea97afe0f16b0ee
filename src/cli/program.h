// The program as CLI11 knows it: every verb with its options, the one table that --help, the man pages
// (cli/manual.h) and the completions of shells (cli/completion.h) are printed from.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "cli/verb.h"

namespace fye {

struct Program {
  CLI::App app;
  std::vector<std::pair<CLI::App*, Run>> runs;  // by verb
  int verbosity = 0;                            // -v: 1, -v -v: 2
};

std::unique_ptr<Program> make_program();

}  // namespace fye
