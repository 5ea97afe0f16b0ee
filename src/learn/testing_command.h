// fye-train's subcommands called as its user does, for their tests.
#pragma once

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

namespace fye::testing {

struct CommandOutcome {
  int code = 0;
  std::string said, printed;  // on stderr, on stdout
};

// add: add_estimator_command and its kind.
template <class Add>
CommandOutcome run_command(Add add, const std::string& name, std::vector<std::string> arguments,
                           bool stopped = false) {
  CLI::App program;
  CommandOutcome outcome;
  std::atomic<bool> stop{stopped};
  add(program, outcome.code, stop);
  arguments.insert(arguments.begin(), name);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  try {
    program.parse(arguments);
  } catch (const CLI::ParseError& e) {
    outcome.code = e.get_exit_code();
  }
  outcome.printed = ::testing::internal::GetCapturedStdout();
  outcome.said = ::testing::internal::GetCapturedStderr();
  return outcome;
}

}  // namespace fye::testing
