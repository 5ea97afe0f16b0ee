// fye-train qat: fine-tunes a float network for int8.
#include <fmt/format.h>

#include <memory>

#include "learn/commands.h"
#include "learn/qat.h"
#include "learn/run_options.h"

namespace fye {
namespace {

struct QatCommand : RunOptions {
  std::filesystem::path checkpoint;
};

// The float network's averaged weights with observed grids, as the beginning of a new run.
Result<Checkpoint> quantised_start(const QatCommand& c, const Checkpoint& from, const TrainingSet& set) {
  auto state = start_training(from.spec, c.options, c.seed);
  state.weights = copy_of(from.average);
  state.average = copy_of(from.average);
  auto grids = observe_grids(state.spec, state.average, set.validation);
  if (!grids) return grids.error();
  state.grids = std::move(*grids);
  return state;
}

Status run_qat(QatCommand& c, const std::atomic<bool>& stop) {
  if (auto settled = settle(c); !settled) return settled;
  const auto kept = resumed_state(c);
  if (!kept) return kept.error();
  if (*kept && (*kept)->grids.empty())
    return usage_error(c.out.string() + ": holds a float run", "give another --out to qat");
  const auto from = *kept ? Result<Checkpoint>(**kept) : load_checkpoint(c.checkpoint);
  if (!from) return from.error();
  if (auto can = quantisable(from->spec); !can) return can;
  const auto set = load_pictures(c, from->spec);
  if (!set) return set.error();
  auto state = *kept ? from : quantised_start(c, *from, *set);
  if (!state) return state.error();
  return train_into(c, std::move(*state), kept->has_value(), *set, stop);
}

}  // namespace

void add_qat_command(CLI::App& program, int& code, const std::atomic<bool>& stop) {
  auto c = std::make_shared<QatCommand>();
  c->budget = "15m";
  c->options.rate = 5e-4;
  c->options.threads = 2;
  c->loss = "psnr";
  auto* verb = program.add_subcommand("qat", "fine-tune a float network for int8");
  verb->add_option("--checkpoint", c->checkpoint, "the float network")->required();
  add_run_options(*verb, *c);
  verb->callback([c, &code, &stop] {
    const auto done = run_qat(*c, stop);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye
