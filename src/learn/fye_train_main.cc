// fye-train: trains the networks that fye ships, scores them, and learns plans (docs/training.md).
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>

#include "learn/commands.h"

namespace {

std::atomic<bool> stop_asked{false};

void ask_stop(int) { stop_asked = true; }

}  // namespace

int main(int argc, char** argv) {
  CLI::App program{"fye-train: trains fye's networks and scores them"};
  program.require_subcommand(1);
  int code = 0;
  // The trainer is a guest on its machine: lowest priority, and a signal ends it with everything saved.
  program.parse_complete_callback([] {
    setpriority(PRIO_PROCESS, 0, 19);
    std::signal(SIGTERM, ask_stop);
    std::signal(SIGINT, ask_stop);
  });
  fye::add_train_command(program, code, stop_asked);
  fye::add_qat_command(program, code, stop_asked);
  fye::add_estimator_command(program, code, stop_asked);
  fye::add_split_command(program, code, stop_asked);
  fye::add_score_command(program, code);
  fye::add_export_command(program, code);
  CLI11_PARSE(program, argc, argv);
  return code;
}
