// fye-train train: float weights from photographs.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "learn/commands.h"
#include "learn/run_options.h"

namespace fye {
namespace {

struct TrainCommand : RunOptions {
  std::string net = "abpn";
  int scale = 3;
  std::filesystem::path start;
};

// Copies every layer of `from` that has the same shape in `to`; the number of layers taken.
int take_over(const Checkpoint& from, Checkpoint& to) {
  const torch::NoGradGuard no_gradients;
  int taken = 0;
  for (size_t i = 0; i < std::min(from.average.kernels.size(), to.weights.kernels.size()); ++i) {
    if (from.average.kernels[i].sizes() != to.weights.kernels[i].sizes()) continue;
    to.weights.kernels[i].copy_(from.average.kernels[i]);
    to.weights.biases[i].copy_(from.average.biases[i]);
    ++taken;
  }
  to.average = copy_of(to.weights);
  return taken;
}

Status run_train(TrainCommand& c, const std::atomic<bool>& stop) {
  const auto spec = net_spec(c.net, c.scale);
  if (!spec) return spec.error();
  if (auto settled = settle(c); !settled) return settled;
  const auto kept = resumed_state(c);
  if (!kept) return kept.error();
  Checkpoint state = *kept ? **kept : start_training(*spec, c.options, c.seed);
  if (state.spec.net != c.net || state.spec.scale != c.scale)
    return usage_error(
        fmt::format("{} holds a run of {} x{}", c.out.string(), state.spec.net, state.spec.scale),
        "give its --net and --scale, or another --out");
  if (!*kept && !c.start.empty()) {
    const auto from = load_checkpoint(c.start);
    if (!from) return from.error();
    fmt::print("{} layers taken from {}\n", take_over(*from, state), c.start.string());
  }
  const auto set = load_pictures(c, *spec);
  if (!set) return set.error();
  return train_into(c, std::move(state), kept->has_value(), *set, stop);
}

}  // namespace

void add_train_command(CLI::App& program, int& code, const std::atomic<bool>& stop) {
  auto c = std::make_shared<TrainCommand>();
  c->budget = "100m";
  c->options.rate = 5e-3;
  c->options.threads = 2;
  auto* verb = program.add_subcommand("train", "train a network in float");
  verb->add_option("--net", c->net, "abpn, edsr-baseline or srcnn")->capture_default_str();
  verb->add_option("--scale", c->scale)->capture_default_str();
  verb->add_option("--start", c->start, "checkpoint to take layers of equal shape from");
  add_run_options(*verb, *c);
  verb->callback([c, &code, &stop] {
    const auto done = run_train(*c, stop);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye
