// fye rival MODEL
#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/machine.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/file.h"
#include "plan/cores.h"
#include "runtime/rival_plans.h"

namespace fye {
namespace {

struct RivalFlags {
  ModelOptions model;
  std::string method, form = "strong", profile, size = "640x360", threads, deadline, hard = "accurate",
                      output;
  std::vector<std::string> processors, pictures;
  int patch = 40, rounds = 5;
  bool json = false;
};

Rival rival_from(const std::string& method) {
  return method == "mobisr" ? Rival::mobisr : method == "ulayer" ? Rival::ulayer : Rival::codl;
}

Result<RivalRequest> request_of(const RivalFlags& options, const Model& model) {
  RivalRequest request{.rival = rival_from(options.method),
                       .form = options.form == "strong" ? RivalForm::strong : RivalForm::faithful,
                       .pair = {},
                       .hard_to_fast = options.hard == "fast",
                       .patch = options.patch,
                       .typical = {},
                       .profile = {},
                       .rounds = options.rounds};
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  request.width = size->width, request.height = size->height;
  if (request.rival == Rival::mobisr) {
    if (options.deadline.empty())
      return usage_error("--method mobisr: how many patches are accurate depends on the deadline",
                         "add --deadline 40ms");
    const auto deadline = parse_deadline("--deadline", options.deadline);
    if (!deadline) return deadline.error();
    request.deadline_ms = *deadline;
  }
  std::vector<std::string> names = options.processors;
  if (names.empty())
    names = {"cpu.f32@core0", request.rival == Rival::codl ? "cpu.f32@core1" : "cpu.int8@core1"};
  for (const std::string& name : names) {
    const auto processor = find_processor(name, active_isa());
    if (!processor) return processor.error();
    request.pair.push_back(*processor);
  }
  if (request.pair.size() != 2)
    return usage_error(
        fmt::format("--processors: {} of them; a rival shares its work between two", names.size()));
  if (request.rival == Rival::codl) {
    int count = request.pair[0]->core() >= 0 ? 1 : 0;
    if (!options.threads.empty()) {
      const auto threads = parse_threads("--threads", options.threads);
      if (!threads) return threads.error();
      count = *threads;
    }
    auto profile = profile_for(options.profile, options.model.positional, model.graph.sha256, request.width,
                               request.height, this_machine(ThreadPool(count).size()));
    if (!profile) return profile.error();
    request.profile = *std::move(profile);
    if (auto status = add_cores(request.pair, request.profile, nullptr); !status) return status.error();
  }
  const auto files = picture_files(options.pictures);
  if (!files) return files.error();
  for (const auto& file : *files) {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    request.typical.push_back(*std::move(picture));
  }
  return request;
}

Status run(const RivalFlags& options) {
  const auto model = load_model(options.model, 0);
  if (!model) return model.error();
  const auto request = request_of(options, *model);
  if (!request) return request.error();
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  ThreadPool threads(count);
  const Stopwatch watch;
  const auto made = [&] {
    Progress progress(fmt::format("measuring for {}", options.method));
    return rival_plan(*model, *request, threads, [&](double share) { progress.update(share); });
  }();
  if (!made) return made.error();
  const double seconds = watch.ms() / 1000;
  if (!options.output.empty()) {
    const FinishWriting uninterrupted;
    if (const Status written = write_plan(options.output, made->plan); !written) return written;
  }
  if (options.json) {
    Json json = {{"method", options.method}, {"form", options.form}, {"seconds", seconds}, {"ms", made->ms}};
    json["steps"] = Json::array();
    for (const PlanStep& step : made->plan.steps)
      json["steps"].push_back({{"units", step.units}, {"placement", placement_text(step)}});
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print("{}, {}x{}: {} ({}) predicts {:.3f} ms; found in {:.1f} s\n\n", model->name, request->width,
             request->height, options.method, options.form, made->ms, seconds);
  for (const PlanStep& step : made->plan.steps)
    fmt::print("{:<40} {}\n",
               step.units.size() == 1
                   ? step.units[0]
                   : fmt::format("{} to {} ({})", step.units.front(), step.units.back(), step.units.size()),
               placement_text(step));
  return {};
}

}  // namespace

Run add_rival(CLI::App& app) {
  auto options = std::make_shared<RivalFlags>();
  RivalFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--method", o.method,
                 "mobisr (patches), ulayer (output channels) or codl (rows and channels)")
      ->required()
      ->check(CLI::IsMember({"mobisr", "ulayer", "codl"}));
  app.add_option(
         "--form", o.form,
         "faithful: as published, where that is known; strong: everything measured or searched exactly")
      ->capture_default_str()
      ->check(CLI::IsMember({"faithful", "strong"}));
  app.add_option("--processors", o.processors,
                 "the two that share, as A,B; by default a core each: cpu.f32@core0,cpu.int8@core1, for codl "
                 "both cpu.f32")
      ->delimiter(',');
  app.add_option("--size", o.size, "WxH of the picture that goes in")->capture_default_str();
  app.add_option("--deadline", o.deadline, "40ms: for mobisr, how long a picture may take");
  app.add_option("--hard", o.hard,
                 "who gets the patches that vary most: the accurate or the fast processor (mobisr)")
      ->capture_default_str()
      ->check(CLI::IsMember({"accurate", "fast"}));
  app.add_option("--patch", o.patch, "pixels a side of a patch (mobisr, faithful)")
      ->capture_default_str()
      ->check(CLI::Range(8, 4096));
  app.add_option("--pictures", o.pictures,
                 "typical small pictures or folders, which fix the threshold (mobisr, faithful)");
  app.add_option("--profile", o.profile,
                 "profile.json of fye profile (codl); the one that was kept, by default");
  app.add_option("--rounds", o.rounds, "how often everything is timed")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--threads,-j", o.threads, "threads of processors that are on no core, all by default");
  app.add_option("-o,--output", o.output, "plan.json to write, for fye up --plan and fye bench --plan");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Plans as MobiSR, uLayer and CoDL would make them for this model on this machine, to compare fye's own with.
Processors on cores of their own work side by side; those on all threads take turns.

Examples:
  fye profile net.onnx --threads 1 && fye rival net.onnx --method codl -o codl.plan.json
  fye rival abpn_x3 --method ulayer --form faithful
  fye rival abpn_x3 --method mobisr --deadline 40ms -o mobisr.plan.json && fye bench abpn_x3 --plan mobisr.plan.json)");
  return [options] { return run(*options); };
}

}  // namespace fye
