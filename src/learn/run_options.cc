#include "learn/run_options.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "learn/qat.h"

namespace fye {

namespace fs = std::filesystem;

void add_run_options(CLI::App& verb, RunOptions& run) {
  auto& o = run.options;
  verb.add_option("--data", run.data, "folder of clean photographs")->required();
  verb.add_option("--photos", run.photos, "list of large photographs, used halved");
  verb.add_option("--out", run.out, "folder for checkpoint.pt, log.csv, weights.bin and .json")->required();
  verb.add_option("--budget", run.budget, "wall-clock time of the whole run: 90m, 2h, 45s")
      ->capture_default_str();
  verb.add_option("--steps", o.budget_steps, "number of steps instead of a time");
  verb.add_flag("--resume", run.resume, "go on from out/checkpoint.pt, if there is one");
  verb.add_option("--optimiser", run.optimiser, "adam, muon or soap")->capture_default_str();
  verb.add_option("--rate", o.rate, "peak learning rate")->capture_default_str();
  verb.add_option("--batch", o.batch, "patches a step")->capture_default_str()->check(CLI::Range(1, 4096));
  verb.add_option("--threads", o.threads, "must divide the batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  verb.add_option("--patch", o.patch, "side of a patch in low-resolution pixels")
      ->capture_default_str()
      ->check(CLI::Range(2 * o.margin + 1, 1024));
  verb.add_option("--average", o.average, "decay of the averaged weights")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--luma-weight", o.luma_weight, "share of the luma in the loss (srcnn: all of it)")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  verb.add_option("--loss", run.loss, "l1, mse or psnr")->capture_default_str();
  verb.add_option("--last-loss", run.last_loss, "loss of the later part")->capture_default_str();
  verb.add_option("--last-loss-from", o.last_loss_from, "share of the budget")->capture_default_str();
  verb.add_option("--bfloat16-until", o.bfloat16_until, "share of the budget")->capture_default_str();
  verb.add_option("--validate-every", o.validate_every, "seconds")->capture_default_str();
  verb.add_option("--seed", run.seed)->capture_default_str();
}

Status settle(RunOptions& run) {
  const auto optimiser = optimiser_kind(run.optimiser);
  const auto loss = loss_kind(run.loss), last_loss = loss_kind(run.last_loss);
  if (!optimiser) return optimiser.error();
  if (!loss) return loss.error();
  if (!last_loss) return last_loss.error();
  run.options.optimiser = *optimiser, run.options.loss = *loss, run.options.last_loss = *last_loss;
  run.options.budget_seconds = seconds_of(run.budget);
  if (run.options.budget_seconds <= 0 && run.options.budget_steps <= 0)
    return usage_error("--budget " + run.budget + " is no time", "write 90m, 2h or 45s");
  std::error_code failed;
  fs::create_directories(run.out, failed);
  if (failed) return resource_error(run.out.string() + ": " + failed.message());
  return {};
}

Result<TrainingSet> load_pictures(const RunOptions& run, const NetSpec& spec) {
  auto set = load_training_set(run.data, run.photos, spec.scale);
  if (!set) return set;
  if (spec.luma) enlarge_pairs(set->train);
  for (const auto& refused : set->refused) fmt::print("left out: {}\n", refused);
  fmt::print("{} pictures (with reductions), {} held out for validation\n", set->train.size(),
             set->validation.size());
  return set;
}

Result<std::optional<Checkpoint>> resumed_state(const RunOptions& run) {
  const fs::path kept = run.out / "checkpoint.pt";
  if (!run.resume || !fs::exists(kept)) return std::optional<Checkpoint>();
  auto loaded = load_checkpoint(kept);
  if (!loaded) return loaded.error();
  return std::optional<Checkpoint>(std::move(*loaded));
}

Status train_into(const RunOptions& run, Checkpoint state, bool resumed, const TrainingSet& set,
                  const std::atomic<bool>& stop) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(
      std::fopen((run.out / "log.csv").c_str(), resumed ? "a" : "w"), &std::fclose);
  if (!log) return resource_error(run.out.string() + ": log.csv can't be written");
  if (!resumed) fmt::print(log.get(), "step,seconds,progress,rate,loss,validation_psnr\n");

  TrainEvents events;
  events.report = [&log](const TrainReport& r) {
    fmt::print(log.get(), "{},{:.1f},{:.4f},{:.3e},{:.6f},{:.4f}\n", r.step, r.seconds, r.progress, r.rate,
               r.loss, r.psnr);
    std::fflush(log.get());
    fmt::print("step {} at {:.0f} s ({:.1f} %), {:.1f} ms a step, loss {:.6f}, validation {:.3f} dB\n",
               r.step, r.seconds, 100 * r.progress, r.step ? 1e3 * r.seconds / double(r.step) : 0, r.loss,
               r.psnr);
    std::fflush(stdout);
  };
  events.save = [&run](const Checkpoint& checkpoint) -> Status {
    if (auto saved = save_checkpoint(checkpoint, run.out / "checkpoint.pt"); !saved) return saved;
    if (!checkpoint.grids.empty())
      if (auto dumped = dump_grids(checkpoint.spec, checkpoint.grids, run.out / "grids.json"); !dumped)
        return dumped;
    return dump_weights(checkpoint.spec, checkpoint.average, run.out);
  };
  const int scale = state.spec.scale;
  const DrawBatch draw = [&set, scale](int count, int patch, Random& random) {
    return draw_batch(set.train, scale, count, patch, random);
  };
  // Threads go through the network side by side, each on its own patches; inside an operation one is enough.
  torch::set_num_threads(1);
  const auto done = train(std::move(state), run.options, draw, set.validation, events, stop);
  return done ? Status() : Status(done.error());
}

double seconds_of(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  if (end == text.c_str()) return -1;
  if (unit.empty() || unit == "s") return value;
  return unit == "m" ? 60 * value : unit == "h" ? 3600 * value : -1;
}

int fail(const Error& error) {
  fmt::print(stderr, "fye-train: {}\n", error.text());
  return int(error.code);
}

}  // namespace fye
