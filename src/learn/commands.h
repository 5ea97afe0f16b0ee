// The verbs of fye-train. Each adds its options to the program and, once they are parsed, runs and sets
// `code` to an exit code (base/result.h; 0 done). A run that `stop` ends saves its state and counts as done; split,
// which can't go on later, writes the plans it has and is partly done (3), or 130 without any.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>

namespace fye {

void add_train_command(CLI::App& program, int& code, const std::atomic<bool>& stop);
void add_qat_command(CLI::App& program, int& code, const std::atomic<bool>& stop);
void add_estimator_command(CLI::App& program, int& code, const std::atomic<bool>& stop);
void add_split_command(CLI::App& program, int& code, const std::atomic<bool>& stop);
void add_score_command(CLI::App& program, int& code);
void add_export_command(CLI::App& program, int& code);

}  // namespace fye
