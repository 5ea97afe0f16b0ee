// fye sensitivity MODEL PICTURES...
#include "profile/sensitivity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "graph/units.h"
#include "runtime/network.h"

namespace fye {
namespace {

struct Options {
  ModelOptions model;
  std::vector<std::string> pictures;
  std::string output, crop = "64x64", threads;
  bool shrink = false, json = false;
};

Status run(const Options& options) {
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
    Progress progress("measuring losses", true);
    return measure_losses(model->graph, model->calib ? &*model->calib : nullptr, *base, chosen, crops,
                          measure, pool, [&](double share) { progress.update(share); });
  }();
  if (!losses) return losses.error();
  const double seconds = watch.ms() / 1000;
  if (!options.output.empty()) {
    const FinishWriting uninterrupted;
    if (const Status written = write_losses(options.output, *losses); !written) return written;
  }
  if (options.json) {
    Json json = {{"crops", losses->crops}, {"seconds", seconds}, {"pictures", losses->pictures}};
    json["units"] = Json::array();
    for (const UnitLoss& unit : losses->units)
      json["units"].push_back({{"unit", unit.unit}, {"on", unit.on}});
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
  return {};
}

}  // namespace

Run add_sensitivity(CLI::App& app) {
  auto options = std::make_shared<Options>();
  Options& o = *options;
  add_model_argument(app, o.model);
  app.add_option("PICTURES", o.pictures, "8 to 20 pictures of the kind to be enlarged, or folders");
  app.add_option("-o,--output", o.output,
                 "losses.json to write; fye plan finds NAME.losses.json beside NAME.onnx");
  app.add_option("--crop", o.crop, "the part of each picture that is looked at: WxH (the middle) or WxH+X+Y")
      ->capture_default_str();
  app.add_flag("--shrink", o.shrink, "the pictures are large: shrink them by the network's scale first");
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Measures how far each unit's arithmetic, and each tensor's stored form, moves the output away from the float
network's: what fye plan weighs against time.

Examples:
  fye sensitivity net.onnx photos/ --shrink -o net.losses.json
  fye sensitivity abpn_x3 a.png b.png --crop 96x96)");
  return [options] { return run(*options); };
}

}  // namespace fye
