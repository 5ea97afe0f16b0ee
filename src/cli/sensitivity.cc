// fye sensitivity MODEL PICTURES...
#include "profile/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "plan/loss_check.h"
#include "runtime/network.h"

namespace fye {
namespace {

struct SensitivityFlags {
  ModelOptions model;
  std::vector<std::string> pictures;
  std::string output, crop = "64x64", threads;
  int check = 0;
  bool shrink = false, json = false;
};

// Random plans that the parts are checked on are the same in every run.
constexpr unsigned kCheckSeed = 6;

// The whole-number formats alone: bfloat16 loses next to nothing, and orders of nothing say little.
Result<LossCheck> checked(const Model& model, std::span<const Processor* const> processors,
                          const Losses& losses, std::span<const Map> crops, const Quant& picture, int count,
                          ThreadPool& pool) {
  const Calib* calib = model.calib ? &*model.calib : nullptr;
  const auto problem = loss_problem(model.graph, calib, processors, losses);
  if (!problem) return problem.error();
  int base = 0;
  std::vector<int> narrow;
  for (size_t p = 0; p < processors.size(); ++p) {
    if (processors[p]->numbers() == Numbers::f32)
      base = int(p);
    else if (processors[p]->numbers() != Numbers::bf16)
      narrow.push_back(int(p));
  }
  Progress progress("checking random plans");
  return check_losses(model.graph, calib, *problem, processors, base, narrow, crops, picture, count,
                      kCheckSeed, pool, [&](double share) { progress.update(share); });
}

Status run(const SensitivityFlags& options) {
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  const auto model = load_model(options.model, 0);
  if (!model) return model.error();
  if (options.pictures.empty())
    return usage_error("there are no pictures to measure losses on",
                       "give 8 to 20 of the kind that the network will enlarge");
  const auto inputs = network_inputs(options.pictures, options.crop, options.shrink, model->conventions);
  if (!inputs) return inputs.error();
  std::vector<Map> crops;
  for (const NetworkInput& input : *inputs) crops.push_back(input.map);

  std::vector<const Processor*> chosen;
  for (const Processor* p : processors(active_isa()))
    if (p->name() != "null" &&
        (model->calib || p->numbers() == Numbers::f32 || p->numbers() == Numbers::bf16))
      chosen.push_back(p);
  const auto base = find_processor("cpu.f32", active_isa());
  if (!base) return base.error();
  ThreadPool pool(count);
  const Conventions& conventions = model->conventions;
  const SensitivityOptions measure{
      .picture = {(conventions.hi - conventions.lo) / 255,
                  int(std::lround(-conventions.lo * 255 / (conventions.hi - conventions.lo)))}};
  const Stopwatch watch;
  auto losses = [&] {
    Progress progress("measuring losses");
    return measure_losses(model->graph, model->calib ? &*model->calib : nullptr, *base, chosen, crops,
                          measure, pool, [&](double share) { progress.update(share); });
  }();
  if (!losses) return losses.error();
  const double seconds = watch.ms() / 1000;
  if (!options.output.empty()) {
    const FinishWriting uninterrupted;
    if (const Status written = write_losses(options.output, *losses); !written) return written;
  }
  std::optional<LossCheck> check;
  if (options.check > 0) {
    auto done = checked(*model, chosen, *losses, crops, measure.picture, options.check, pool);
    if (!done) return done.error();
    check = *std::move(done);
  }
  if (options.json) {
    Json json = {{"crops", losses->crops}, {"seconds", seconds}, {"pictures", losses->pictures}};
    json["units"] = Json::array();
    for (const UnitLoss& unit : losses->units)
      json["units"].push_back({{"unit", unit.unit}, {"on", unit.on}});
    if (check)
      json["check"] = {{"spearman", check->spearman},          {"spearman_within", check->spearman_within},
                       {"truth_over_predicted", check->ratio}, {"share", check->share},
                       {"predicted", check->predicted},        {"truth", check->truth}};
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print("mean squared grey levels of the output, on {} crops, in {:.1f} s\n\n{:<28}", losses->crops,
             seconds, "own part of unit");
  for (const Processor* p : chosen)
    if (p != *base) fmt::print("{:>14}", p->name());
  fmt::print("\n");
  for (const UnitLoss& unit : losses->units) {
    fmt::print("{:<28}", unit.unit);
    for (const Processor* p : chosen) {
      if (p == *base) continue;
      const auto found = unit.on.find(std::string(p->name()));
      fmt::print("{:>14}", found == unit.on.end() ? "-" : fmt::format("{:.4f}", found->second));
    }
    fmt::print("\n");
  }
  fmt::print("\n{:<28}{:>14}{:>14}{:>14}\n", "part of tensor stored as", "bf16", "s16", "u8");
  for (const TensorLoss& tensor : losses->tensors) {
    fmt::print("{:<28}", tensor.tensor);
    for (const Form form : {Form::bf16, Form::s16, Form::u8}) {
      const auto found = tensor.stored.find(form);
      fmt::print("{:>14}", found == tensor.stored.end() ? "-" : fmt::format("{:.4f}", found->second));
    }
    fmt::print("\n");
  }
  if (check)
    fmt::print(
        "\n{} random mixed plans: Spearman of predicted and true msef {:.3f} over all, {:.3f} at equal "
        "share; "
        "truth / predicted {:.2f}\n",
        check->truth.size(), check->spearman, check->spearman_within, check->ratio);
  return {};
}

}  // namespace

Run add_sensitivity(CLI::App& app) {
  auto options = std::make_shared<SensitivityFlags>();
  SensitivityFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("PICTURES", o.pictures, "8 to 20 pictures of the kind to be enlarged, or folders");
  app.add_option("-o,--output", o.output,
                 "losses.json to write; fye plan finds NAME.losses.json beside NAME.onnx");
  app.add_option("--crop", o.crop, "the part of each picture that is looked at: WxH (the middle) or WxH+X+Y")
      ->capture_default_str();
  app.add_flag("--shrink", o.shrink, "the pictures are large: shrink them by the network's scale first");
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.add_option("--check", o.check, "also hold the parts against this many random mixed plans")
      ->check(CLI::Range(0, 10000));
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Measures how far each unit's arithmetic, and each tensor's stored form, moves the output away from the float
network's: what fye plan weighs against time.

Examples:
  fye sensitivity net.onnx photos/ --shrink -o net.losses.json
  fye sensitivity abpn_x3 a.png b.png --crop 96x96 --check 48)");
  return [options] { return run(*options); };
}

}  // namespace fye
