// What the train and qat verbs share: options of a run, its pictures, its log and its files.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <filesystem>
#include <optional>
#include <string>

#include "learn/train.h"

namespace fye {

struct RunOptions {
  std::filesystem::path data, photos, out;
  std::string budget, optimiser = "muon", loss = "l1", last_loss = "psnr";
  uint64_t seed = 1;
  bool resume = false;
  TrainOptions options;
};

void add_run_options(CLI::App& verb, RunOptions& run);

// Fills run.options from the named ones and makes the output folder. Errors: usage.
Status settle(RunOptions& run);

// Training and validation pictures as the network wants them, with a line on stdout for each one left out.
Result<TrainingSet> load_pictures(const RunOptions& run, const NetSpec& spec);

// The state to go on from: out/checkpoint.pt under --resume, if it exists.
Result<std::optional<Checkpoint>> resumed_state(const RunOptions& run);

// Trains and writes into the output folder: log.csv (appended to when resumed), checkpoint.pt, weights.bin
// and .json, and for quantised runs grids.json.
Status train_into(const RunOptions& run, Checkpoint state, bool resumed, const TrainingSet& set,
                  const std::atomic<bool>& stop);

// "90m", "2h", "45s" or plain seconds; negative if it is none of these.
double seconds_of(const std::string& text);

// Prints the error; the exit code.
int fail(const Error& error);

}  // namespace fye
