// fye-train estimator: makes crops with exact scores, trains the estimator on them, says how well it
// imitates.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <memory>
#include <span>

#include "learn/commands.h"
#include "learn/estimator_make.h"
#include "learn/estimator_score.h"
#include "learn/estimator_train.h"
#include "learn/run_options.h"
#include "learn/soft_piqe.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Crops that the log's running score is taken on.
constexpr size_t kWatched = 256;
// Crops that a step along the gradient is tried on, and its size in grey levels.
constexpr size_t kGuided = 64;
constexpr double kGuidedBy = 1;

struct EstimatorCommand {
  fs::path data, photos, out, crops, evaluate;
  std::vector<fs::path> models;
  std::string budget = "20m", optimiser = "adam", input = "normalised";
  uint64_t seed = 1;
  bool resume = false, make_only = false;
  MakeOptions make;
  EstimatorSpec spec;
  EstimatorOptions options;
};

// The first layers' maps have tens of megabytes. glibc would ask the kernel for each anew, and as much time
// as the arithmetic takes would go into clearing pages.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_ARENA_MAX, 1);  // other arenas end at 64 MB
}

Status make_data(const EstimatorCommand& c, const fs::path& crops, const std::atomic<bool>& stop) {
  if (c.models.empty())
    return usage_error("no --model: crops are made from what networks make of pictures",
                       "give --model models/abpn_x2.onnx --model models/abpn_x3.onnx");
  std::vector<PlannedNet> nets;
  for (const auto& path : c.models) {
    auto net = load_planned_net(path);
    if (!net) return net.error();
    nets.push_back(*std::move(net));
  }
  const auto pictures = load_training_set(c.data, c.photos, common_scale(nets));
  if (!pictures) return pictures.error();
  for (const auto& refused : pictures->refused) fmt::print("left out: {}\n", refused);
  const auto report = [](int done, int all) {
    if (done % 20 == 0 || done == all) {
      fmt::print("crops of {} of {} pictures made\n", done, all);
      std::fflush(stdout);
    }
  };
  MakeOptions make = c.make;
  make.seed = c.seed;
  make.threads = c.options.threads;
  const auto complete = make_crops(*pictures, nets, make, crops, report, stop);
  if (!complete) return complete.error();
  return {};
}

std::vector<int64_t> rows_where(const CropSet& set, bool held_picture, bool held_plan) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < set.crops.size(); ++i)
    if (set.crops[i].held_picture == held_picture && set.crops[i].held_plan == held_plan)
      rows.push_back(int64_t(i));
  return rows;
}

// At most `most` of them, evenly spread.
std::vector<int64_t> thinned(const std::vector<int64_t>& rows, size_t most) {
  std::vector<int64_t> some;
  const size_t step = std::max<size_t>(1, (rows.size() + most - 1) / most);
  for (size_t i = 0; i < rows.size(); i += step) some.push_back(rows[i]);
  return some;
}

Imitation imitation_by(const EstimatorState& state) {
  return [&state](const torch::Tensor& x) { return estimate(state.spec, state.average, x); };
}

// A score whose gradient is noise: what any step of that size does.
torch::Tensor noise_alone(const torch::Tensor& x) {
  auto generator = at::detail::createCPUGenerator(1);
  return (x * torch::empty_like(x).normal_(0, 1, generator)).sum({1, 2, 3});
}

// Nearer to the hard score, with gradients in fewer places.
constexpr SoftPiqeSlopes kSteeper{200, 200, 40};

void print_agreement(const char* who, const Agreement& a) {
  fmt::print("  {:<10} Spearman {:.4f}, mean error {:.2f} points", who, a.spearman, a.mean_error);
  if (a.places > 0) fmt::print(", between plans of one place {:.4f} ({} places)", a.within, a.places);
  fmt::print("\n");
}

void evaluate(const EstimatorState& state, const CropSet& set, int threads) {
  const std::pair<const char*, Imitation> all[] = {
      {"estimator", imitation_by(state)},
      {"soft-PIQE", [](const torch::Tensor& x) { return soft_piqe(x); }},
      {"4x steeper", [](const torch::Tensor& x) { return soft_piqe(x, kSteeper); }},
      {"noise", noise_alone}};  // of interest for its gradient alone
  const std::span imitations(all, 3);
  for (const auto& [name, held_picture, held_plan] : {std::tuple{"held-out plans", false, true},
                                                      {"held-out pictures", true, false},
                                                      {"both held out", true, true}}) {
    const auto rows = rows_where(set, held_picture, held_plan);
    fmt::print("{}: {} crops\n", name, rows.size());
    if (rows.empty()) continue;
    for (const auto& [who, imitation] : imitations)
      print_agreement(who, agreement(set, rows, scores_of(imitation, set, rows, threads)));
  }
  const auto pictures = rows_where(set, true, false);
  for (size_t kind = 0; kind < std::size(kCropKinds); ++kind) {
    std::vector<int64_t> rows;
    std::copy_if(pictures.begin(), pictures.end(), std::back_inserter(rows),
                 [&](int64_t row) { return size_t(set.crops[size_t(row)].kind) == kind; });
    if (rows.empty()) continue;
    fmt::print("held-out pictures, {}: {} crops\n", kCropKinds[kind], rows.size());
    for (const auto& [who, imitation] : imitations)
      print_agreement(who, agreement(set, rows, scores_of(imitation, set, rows, threads)));
  }
  std::vector<int64_t> outputs;
  std::copy_if(pictures.begin(), pictures.end(), std::back_inserter(outputs),
               [&](int64_t row) { return set.crops[size_t(row)].kind == CropKind::f32; });
  const auto guided = thinned(outputs, kGuided);
  fmt::print("exact PIQE after a step of {} grey level along a gradient, {} held-out float outputs\n",
             kGuidedBy, guided.size());
  for (const auto& [who, imitation] : all) {
    const auto g = guidance(imitation, set, guided, kGuidedBy, threads);
    fmt::print("  {:<10} down {:+.2f} points, up {:+.2f}; the right way in {:.0f} %\n", who, g.down, g.up,
               100 * g.right_share);
  }
}

Status train_and_evaluate(const EstimatorCommand& c, const CropSet& set, const std::atomic<bool>& stop) {
  const fs::path kept = c.out / "estimator.pt";
  const bool resumed = c.resume && fs::exists(kept);
  auto state =
      resumed ? load_estimator(kept) : Result<EstimatorState>(start_estimator(c.spec, c.options, c.seed));
  if (!state) return state.error();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(
      std::fopen((c.out / "estimator.csv").c_str(), resumed ? "a" : "w"), &std::fclose);
  if (!log) return resource_error(c.out.string() + ": estimator.csv can't be written");
  if (!resumed) fmt::print(log.get(), "step,seconds,progress,rate,loss,spearman,mean_error\n");
  const auto watched = thinned(rows_where(set, true, false), kWatched);

  EstimatorEvents events;
  events.report = [&](const EstimatorState& s, double progress, double rate, double loss) {
    const auto a = agreement(set, watched, scores_of(imitation_by(s), set, watched, c.options.threads));
    fmt::print(log.get(), "{},{:.1f},{:.4f},{:.3e},{:.6f},{:.5f},{:.4f}\n", s.step, s.seconds, progress, rate,
               loss, a.spearman, a.mean_error);
    std::fflush(log.get());
    fmt::print(
        "step {} at {:.0f} s ({:.1f} %), {:.1f} ms a step, loss {:.5f}, held-out pictures: Spearman {:.4f}, "
        "mean "
        "error {:.2f}\n",
        s.step, s.seconds, 100 * progress, s.step ? 1e3 * s.seconds / double(s.step) : 0, loss, a.spearman,
        a.mean_error);
    std::fflush(stdout);
  };
  events.save = [&kept](const EstimatorState& s) { return save_estimator(s, kept); };
  const auto trained = train_estimator(*std::move(state), c.options, set, events, stop);
  if (!trained) return trained.error();
  if (!stop) evaluate(*trained, set, c.options.threads);
  return {};
}

Status run_estimator(EstimatorCommand& c, const std::atomic<bool>& stop) {
  // Threads go side by side, each on its own crops; inside an operation one is enough.
  torch::set_num_threads(1);
  keep_memory();
  if (!c.evaluate.empty()) {
    if (c.crops.empty()) return usage_error("--evaluate needs --crops, the file to evaluate on");
    const auto state = load_estimator(c.evaluate);
    if (!state) return state.error();
    const auto set = load_crops(c.crops);
    if (!set) return set.error();
    fmt::print("step {}, {:.0f} s of training\n", state->step, state->seconds);
    evaluate(*state, *set, c.options.threads);
    return {};
  }
  if (c.out.empty())
    return usage_error("--out names no folder", "give --out FOLDER, or --evaluate CHECKPOINT");
  const auto optimiser = optimiser_kind(c.optimiser);
  if (!optimiser) return optimiser.error();
  const auto input = estimator_input(c.input);
  if (!input) return input.error();
  c.options.optimiser = *optimiser;
  c.spec.input = *input;
  c.options.pace.budget_seconds = seconds_of(c.budget);
  if (c.options.pace.budget_seconds <= 0 && c.options.pace.budget_steps <= 0)
    return usage_error("--budget " + c.budget + " is no time", "write 90m, 2h or 45s");
  std::error_code failed;
  fs::create_directories(c.out, failed);
  if (failed) return resource_error(c.out.string() + ": " + failed.message());
  const fs::path crops = c.crops.empty() ? c.out / "crops.bin" : c.crops;
  if (!c.data.empty())
    if (auto made = make_data(c, crops, stop); !made) return made;
  if (stop || c.make_only) return {};
  const auto set = load_crops(crops);
  if (!set) return set.error();
  return train_and_evaluate(c, *set, stop);
}

}  // namespace

void add_estimator_command(CLI::App& program, int& code, const std::atomic<bool>& stop) {
  auto c = std::make_shared<EstimatorCommand>();
  auto* verb = program.add_subcommand("estimator", "train the network that imitates PIQE");
  verb->add_option("--data", c->data, "folder of clean photographs; without it the crops must be complete");
  verb->add_option("--photos", c->photos, "list of large photographs, used halved");
  verb->add_option("--model", c->models, "networks with calib.json whose plans' outputs are learned from");
  verb->add_option("--out", c->out, "folder for estimator.pt and estimator.csv");
  verb->add_option("--crops", c->crops, "file of crops [OUT/crops.bin]");
  verb->add_option("--crop-count", c->make.crops, "about how many to make")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 24));
  verb->add_option("--side", c->make.side, "of a crop, in pixels")
      ->capture_default_str()
      ->check(CLI::Range(64, 1024));
  verb->add_option("--plans", c->make.plans, "random plans of each network")
      ->capture_default_str()
      ->check(CLI::Range(8, 60000));
  verb->add_flag("--make-only", c->make_only, "make the crops and end");
  verb->add_option("--budget", c->budget, "wall-clock time of the training: 20m, 2h, 45s")
      ->capture_default_str();
  verb->add_option("--steps", c->options.pace.budget_steps, "number of steps instead of a time");
  verb->add_flag("--resume", c->resume, "go on from out/estimator.pt, if there is one");
  verb->add_option("--optimiser", c->optimiser, "adam, muon or soap")->capture_default_str();
  verb->add_option("--rate", c->options.rate, "peak learning rate")->capture_default_str();
  verb->add_option("--batch", c->options.batch, "crops a step")
      ->capture_default_str()
      ->check(CLI::Range(2, 4096));
  verb->add_option("--threads", c->options.threads, "twice their number must divide the batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  verb->add_option("--input", c->input, "what the network sees: luma or normalised (as PIQE begins)")
      ->capture_default_str();
  verb->add_option("--ranking", c->options.ranking, "weight of the ranking loss")->capture_default_str();
  verb->add_option("--bfloat16-until", c->options.bfloat16_until, "share of the budget")
      ->capture_default_str();
  verb->add_option("--report-every", c->options.pace.report_every, "seconds")->capture_default_str();
  verb->add_option("--seed", c->seed)->capture_default_str();
  verb->add_option("--evaluate", c->evaluate, "an estimator.pt: only print how well it imitates, on --crops");
  verb->callback([c, &code, &stop] {
    const auto done = run_estimator(*c, stop);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye
