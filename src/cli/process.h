// Another program, run to its end: what it printed and how it ended.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fye {

struct Command {
  std::vector<std::string> words;  // the program, looked for in PATH, and its arguments
  std::vector<std::pair<std::string, std::string>> environment;  // on top of this process's own
  std::filesystem::path folder = ".";                            // where it runs
  std::filesystem::path input = "/dev/null";                     // its stdin
  bool show_err = false;  // its stderr also goes on to ours as it comes: for programs that show progress
  size_t most_output =
      size_t{1} << 20;  // bytes of stdout, and of stderr, that are kept; the rest is read and dropped
};

struct Finished {
  bool found = true;  // false: there is no such program
  int status = 0;     // exit status; 128 + the number of the signal that ended it
  std::string out, err;
};

// Interrupts go to it as if a shell had started it. Errors (resources): no process or pipe can be had;
// (bad_input) `input` can't be read.
Result<Finished> run_process(const Command& command);

}  // namespace fye
