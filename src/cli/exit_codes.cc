#include "cli/exit_codes.h"

#include <fmt/format.h>

#include "base/result.h"

namespace fye {
namespace {

struct ExitCode {
  int number;
  std::string_view name, meaning, what_to_do;
};

constexpr ExitCode kExitCodes[] = {
    {0, "done", "All that was asked for is there.", "Nothing."},
    {int(ErrorCode::usage), "usage",
     "The call itself is wrong: an unknown option, a value that means nothing, options that contradict each "
     "other.",
     "`fye VERB --help` ends with examples; the message names the option."},
    {int(ErrorCode::bad_input), "input",
     "A file or value from outside can't be used: damaged, of an unknown kind, too large, for another "
     "network.",
     "The message names the file and what was expected of it. Nothing was written for it."},
    {int(ErrorCode::partial), "partial",
     "Some of the work is done: files failed, or Ctrl-C came when there were results.",
     "`--json` lists each file with its reason; the same call again does only what is left."},
    {int(ErrorCode::deadline), "deadline",
     "No plan is fast enough, or pictures (of a film more than 1 % of the frames) took longer than "
     "--deadline.",
     "The message names the nearest deadline that can be met; `fye plan` measures anew when the machine has "
     "changed."},
    {int(ErrorCode::resources), "resources",
     "Memory, disk, threads, or a helper program are missing, or another fye is at work in the same folder.",
     "The message says what there was too little of; --mem, --tile and --threads ask for less."},
    {int(ErrorCode::internal), "bug", "A bug in fye.", "Please report it with the command line."},
    {int(ErrorCode::interrupted), "interrupted", "Ctrl-C, before there was a result.",
     "Nothing was left behind; run it again."},
};

}  // namespace

std::optional<std::string> explained_exit_code(std::string_view code) {
  for (const ExitCode& e : kExitCodes)
    if (code == e.name || code == std::to_string(e.number))
      return fmt::format("exit code {} ({}): {}\n{}\n", e.number, e.name, e.meaning, e.what_to_do);
  return std::nullopt;
}

}  // namespace fye
