// fye profile MODEL
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "profile/energy.h"
#include "runtime/measuring.h"

namespace fye {
namespace {

struct ProfileFlags {
  ModelOptions model;
  std::string size = "640x360", threads, output, watts;
  std::vector<std::string> processors;
  double seconds = 60;
  bool json = false, again = false;
};

// Those asked for, or all that can run the model.
Result<std::vector<const Processor*>> chosen_processors(const ProfileFlags& options, const Model& model) {
  std::vector<const Processor*> chosen;
  for (const std::string& wanted : options.processors) {
    const auto processor = find_processor(wanted, active_isa());
    if (!processor) return processor.error();
    chosen.push_back(*processor);
  }
  return chosen.empty() ? processors_for(model) : chosen;
}

std::string ms_text(double ms) { return ms < 10 ? fmt::format("{:.3f}", ms) : fmt::format("{:.2f}", ms); }

void print_table(const Profile& profile, const std::optional<MeasureReport>& report) {
  fmt::print("{} on {}, {} thread{}, {}x{}\n\n{:<28}", profile.machine.cpu, profile.machine.isa,
             profile.machine.threads, profile.machine.threads == 1 ? "" : "s", profile.width, profile.height,
             "unit, ms (+- half of 95 %)");
  for (const std::string& processor : profile.processors) fmt::print("{:>22}", processor);
  fmt::print("\n");
  for (const UnitTimes& unit : profile.units) {
    fmt::print("{:<28}", unit.unit);
    for (const std::string& processor : profile.processors) {
      const auto found = unit.on.find(processor);
      fmt::print("{:>22}", found == unit.on.end() ? "-"
                                                  : fmt::format("{} +- {:.1f} %", ms_text(found->second.ms),
                                                                100 * found->second.half_width /
                                                                    std::max(1e-9, found->second.ms)));
    }
    fmt::print("\n");
  }
  fmt::print("\n{:<28}", "whole network");
  for (const std::string& processor : profile.processors) {
    const auto found = profile.whole.find(processor);
    fmt::print("{:>22}", found == profile.whole.end() ? "-" : ms_text(found->second.ms));
  }
  if (!profile.watts.empty()) {
    fmt::print("\n{:<28}", profile.watts_from == "rapl" ? "watts, measured" : "watts, from a file");
    for (const std::string& processor : profile.processors) {
      const auto found = profile.watts.find(processor);
      fmt::print("{:>22}", found == profile.watts.end() ? "-" : fmt::format("{:.2f}", found->second));
    }
  }
  if (!report) {
    fmt::print("\n");
    return;
  }
  const auto row = [&](const char* title, const auto& value) {
    fmt::print("\n{:<28}", title);
    for (const std::string& processor : profile.processors) {
      std::string text = "-";
      for (const Additivity& entry : report->additivity)
        if (entry.processor == processor) text = value(entry);
      fmt::print("{:>22}", text);
    }
  };
  row("units and hand-overs", [](const Additivity& a) { return ms_text(a.sum_ms); });
  row("units timed in place", [](const Additivity& a) {
    double sum = 0;
    for (double ms : a.in_place_ms) sum += ms;
    return ms_text(sum);
  });
  row("sum / whole", [](const Additivity& a) { return fmt::format("{:.3f}", a.sum_ms / a.whole_ms); });
  fmt::print("\n\n{:<40}{:>10}\n", "hand-over", "ms");
  // Tensors of one shape were measured together.
  for (size_t i = 0; i < profile.hand_overs.size(); ++i) {
    const HandOver& hand = profile.hand_overs[i];
    const auto like = [&](const HandOver& other) {
      return other.from == hand.from && other.to == hand.to && other.time.ms == hand.time.ms;
    };
    const auto begin = profile.hand_overs.begin(), end = profile.hand_overs.end(),
               mine = begin + ptrdiff_t(i);
    if (std::find_if(begin, mine, like) != mine) continue;
    const auto others = std::count_if(mine, end, like) - 1;
    fmt::print("{:<40}{:>10}\n",
               fmt::format("{}{} {} -> {}", hand.tensor, others ? fmt::format(" and {} more", others) : "",
                           name(hand.from), name(hand.to)),
               ms_text(hand.time.ms));
  }
  fmt::print("\n{} unit times measured, {} equal to one of those, {} timed in place, in {:.1f} s\n",
             report->measured, report->reused, report->in_place, report->seconds);
}

Json json_of(const Profile& profile, const std::optional<MeasureReport>& report) {
  Json json = {{"width", profile.width},
               {"height", profile.height},
               {"threads", profile.machine.threads},
               {"cpu", profile.machine.cpu},
               {"isa", profile.machine.isa},
               {"fixed_ms", profile.fixed_ms},
               {"conditions", profile.conditions},
               {"measured", report.has_value()}};
  json["units"] = Json::array();
  for (const UnitTimes& unit : profile.units) {
    Json on = Json::object();
    for (const auto& [processor, time] : unit.on)
      on[processor] = {{"ms", time.ms}, {"half_width", time.half_width}, {"n", time.n}};
    json["units"].push_back({{"unit", unit.unit}, {"on", on}});
  }
  for (const auto& [processor, time] : profile.whole) json["whole"][processor] = time.ms;
  if (!report) return json;
  json["seconds"] = report->seconds;
  for (const Additivity& row : report->additivity)
    json["additivity"][row.processor] = {
        {"whole_ms", row.whole_ms}, {"sum_ms", row.sum_ms}, {"in_place_ms", row.in_place_ms}};
  return json;
}

Status run(const ProfileFlags& options) {
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  int threads = 0;
  if (!options.threads.empty()) {
    const auto count = parse_threads("--threads", options.threads);
    if (!count) return count.error();
    threads = *count;
  }
  const auto model = load_model(options.model, 0);
  if (!model) return model.error();
  const auto chosen = chosen_processors(options, *model);
  if (!chosen) return chosen.error();

  ThreadPool pool(threads);
  std::optional<Profile> profile;
  std::optional<MeasureReport> report;
  if (!options.again)
    profile = kept_profile(*model, size->width, size->height, this_machine(pool.size()), *chosen);
  if (!profile) {
    Progress progress("profiling");
    report.emplace();
    auto measured = measure_model(
        *model, size->width, size->height, *chosen, options.seconds, pool,
        [&](double share) { progress.update(share); }, &*report);
    if (!measured) return measured.error();
    profile = *std::move(measured);
    const FinishWriting uninterrupted;
    if (const Status kept = keep_profile(*profile); !kept)
      spdlog::info("the profile is not kept: {}", kept.error().text());
  }
  if (!options.watts.empty()) {
    auto watts = read_watts(options.watts);
    if (!watts) return watts.error();
    profile->watts = *std::move(watts);
    profile->watts_from = "file";
  }
  if (!options.output.empty()) {
    const FinishWriting uninterrupted;
    if (const Status written = write_profile(options.output, *profile); !written) return written;
  }
  if (options.json) {
    fmt::print("{}\n", json_of(*profile, report).dump(2));
    return {};
  }
  print_table(*profile, report);
  return {};
}

}  // namespace

Run add_profile(CLI::App& app) {
  auto options = std::make_shared<ProfileFlags>();
  ProfileFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--size", o.size, "of the picture that goes in")->capture_default_str();
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.add_option("--processors", o.processors, "cpu.f32,cpu.int8 and so on; all by default")->delimiter(',');
  app.add_option("-o,--output", o.output, "profile.json to write; one is kept for fye plan anyway");
  app.add_option(
      "--watts", o.watts,
      "watts.json: the device's power by processor, for plans under an energy budget; measured (RAPL) "
      "where the machine shows it");
  app.add_option("--seconds", o.seconds, "about how long; shared by all units and processors, large networks want more")
      ->check(CLI::Range(1., 86400.))
      ->capture_default_str();
  app.add_flag("--again", o.again, "measure, even if a profile of this model, machine and size is kept");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Measures what every unit of the network takes on every processor of this machine, by putting it between dummy
layers and taking the difference, and what tensors take from one processor's form to another's. Nothing else
should run meanwhile.

Examples:
  fye profile abpn_x3 --size 640x360
  fye profile net.onnx --size 1280x720 --threads 4 -o profile.json)");
  return [options] { return run(*options); };
}

}  // namespace fye
