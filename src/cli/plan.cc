// fye plan MODEL
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/clock.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/learned_plans.h"
#include "cli/machine.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/file.h"
#include "plan/book.h"
#include "plan/constraints.h"
#include "plan/cores.h"
#include "plan/explain.h"
#include "plan/strategies.h"
#include "runtime/rerank.h"

namespace fye {
namespace {

// What --strategy random looks at: as many plans as take about as long as the exact planner.
constexpr int kRandomPlans = 10'000;
// Fits a terminal of 80 x 24.
constexpr int kPlotColumns = 64, kPlotRows = 16;

struct PlanFlags {
  ModelOptions model;
  std::string profile, losses, size = "640x360", threads, deadline, strategy = "exact", plan, book, data,
                               budget;
  std::vector<std::string> processors, on, keep_f32, pictures;
  int best = 4;
  int max_switches = -1;
  std::optional<double> max_mj;
  bool json = false, strict = false;
};

// What one call plans with.
struct Setting {
  Model model;
  Profile profile;
  std::filesystem::path profile_file, losses_file;  // the latter may be empty
  PlanProblem problem;
  PlanConstraints constraints;
};

struct Found {
  std::vector<PlanPoint> front;
  ExactReport report;  // of the exact strategy
  double seconds = 0;
};

Result<std::vector<const Processor*>> chosen_processors(const PlanFlags& options, const Profile& profile) {
  if (options.processors.empty()) return processors_of(profile);
  std::vector<const Processor*> chosen;
  for (const std::string& name : options.processors) {
    const auto processor = find_processor(name, active_isa());
    if (!processor) return processor.error();
    chosen.push_back(*processor);
  }
  return chosen;
}

// Times of another machine or build still rank plans, but don't keep deadlines.
Status check_machine(const PlanFlags& options, const Profile& profile, const MachineId& here) {
  const std::string other = difference(profile.machine, here);
  if (other.empty()) return {};
  const std::string what = fmt::format("the profile was measured on {}", other);
  if (options.strict)
    return bad_input(what, "fye profile measures this machine; without --strict this is a warning");
  spdlog::warn("{}: its times don't hold here", what);
  return {};
}

Result<Setting> prepare(const PlanFlags& options) {
  Setting s;
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  const auto file = model_path(options.model, 0);
  if (!file) return file.error();
  auto model = load_model(options.model, 0);
  if (!model) return model.error();
  s.model = *std::move(model);
  const MachineId here = this_machine(ThreadPool(count).size());
  const std::string& sha256 = s.model.graph.sha256;
  auto profile =
      profile_for(options.profile, options.model.positional, sha256, size->width, size->height, here);
  if (!profile) return profile.error();
  s.profile = *std::move(profile);
  s.profile_file = options.profile;
  if (options.profile.empty())
    s.profile_file = kept_file("profiles", sha256, size->width, size->height, here).value_or("");
  if (auto status = check_machine(options, s.profile, here); !status) return status.error();
  const auto losses = losses_for(options.losses, *file, sha256);
  if (!losses) return losses.error();
  if (!*losses)
    return bad_input(
        fmt::format("{}: it is not known what each unit loses in each number format", s.model.name),
        fmt::format("fye sensitivity {} PICTURES... -o losses.json measures it; then --losses losses.json",
                    options.model.positional));
  s.losses_file = options.losses;
  if (options.losses.empty()) s.losses_file = std::filesystem::path(*file).replace_extension(".losses.json");
  const auto chosen = chosen_processors(options, s.profile);
  if (!chosen) return chosen.error();
  Losses known = **losses;
  if (auto status = add_cores(*chosen, s.profile, &known); !status) return status.error();
  auto problem =
      plan_problem(s.model.graph, s.model.calib ? &*s.model.calib : nullptr, *chosen, s.profile, &known);
  if (!problem) return problem.error();
  s.problem = *std::move(problem);
  auto constraints = constraints_of(s.problem, options.on, options.keep_f32, options.max_switches);
  if (!constraints) return constraints.error();
  s.constraints = *std::move(constraints);
  s.constraints.max_mj = options.max_mj;
  return s;
}

Result<Found> find_plans(const PlanFlags& options, const Setting& s) {
  const Stopwatch watch;
  Found found;
  if (options.strategy == "exact") {
    auto front = exact_plans(s.problem, s.constraints, {}, &found.report);
    if (!front) return front.error();
    found.front = *std::move(front);
  } else if (options.strategy == "greedy") {
    found.front = greedy_plans(s.problem, s.constraints);
  } else if (options.strategy == "random") {
    found.front = random_plans(s.problem, s.constraints, kRandomPlans, 1);
  } else if (options.strategy == "prefix") {
    found.front = prefix_plans(s.problem, s.constraints);
  } else if (options.strategy == "suffix") {
    found.front = suffix_plans(s.problem, s.constraints);
  } else {
    const auto file = model_path(options.model, 0);
    if (!file) return file.error();
    auto front = learned_plans(
        {*file, s.profile_file, s.losses_file, options.data, options.deadline, options.budget}, s.problem);
    if (!front) return front.error();
    found.front = *std::move(front);
  }
  if (found.front.empty())
    return Error{ErrorCode::deadline,
                 fmt::format("--strategy {}: finds no plan under these conditions", options.strategy),
                 "--strategy exact finds one wherever there is one"};
  if (!found.report.exact)
    spdlog::warn(
        "the search outgrew its memory and left plans out: the plans are good, but may not be the best");
  found.seconds = watch.ms() / 1000;
  return found;
}

Result<PlanPoint> plan_in_time(const Setting& s, const Found& found, double deadline) {
  auto point = plan_for(found.front, deadline);
  if (point) return point;
  const PlanPoint& fastest = found.front.front();
  return Error{point.error().code, point.error().what,
               fmt::format("the nearest plan that can be had is --deadline {:.3f}ms: {}",
                           std::ceil(fastest.ms * 1e3) / 1e3, summary_of(s.problem, fastest.plan))};
}

Json json_of(const PlanProblem& problem, const PlanPoint& point) {
  Json json = {{"ms", point.ms}, {"msef", point.loss}, {"switches", switches(point.plan)}};
  if (!problem.units[0].mj.empty()) json["mj"] = predicted_mj(problem, point.plan);
  for (size_t u = 0; u < point.plan.size(); ++u)
    json["units"][problem.units[u].name] = problem.processors[size_t(point.plan[u])];
  return json;
}

void print_json(const PlanFlags& options, const Setting& s, const Found& found,
                const std::optional<PlanPoint>& chosen) {
  Json json = {
      {"strategy", options.strategy}, {"seconds", found.seconds}, {"processors", s.problem.processors}};
  if (options.strategy == "exact") {
    json["exact"] = found.report.exact;
    json["step_ms"] = found.report.step_ms;
  }
  json["front"] = Json::array();
  for (const PlanPoint& point : found.front) json["front"].push_back({point.ms, point.loss});
  json["fastest"] = json_of(s.problem, found.front.front());
  json["truest"] = json_of(s.problem, found.front.back());
  if (chosen) json["plan"] = json_of(s.problem, *chosen);
  fmt::print("{}\n", json.dump(2));
}

void print_point(const PlanProblem& problem, const char* title, const PlanPoint& point) {
  fmt::print("{:<8} {:>10.3f} ms   msef {:<10.4g} {}", title, point.ms, point.loss,
             summary_of(problem, point.plan));
  if (!problem.units[0].mj.empty()) fmt::print(", {:.3f} mJ", predicted_mj(problem, point.plan));
  fmt::print("\n");
}

void print_text(const PlanFlags& options, const Setting& s, const Found& found, const Book& book,
                const std::optional<PlanPoint>& chosen) {
  fmt::print("{}, {}x{}, {} plan{} by --strategy {} in {:.2f} s\n", s.model.name, s.profile.width,
             s.profile.height, found.front.size(), found.front.size() == 1 ? "" : "s", options.strategy,
             found.seconds);
  print_point(s.problem, "fastest", found.front.front());
  if (chosen) print_point(s.problem, "chosen", *chosen);
  print_point(s.problem, "truest", found.front.back());
  if (!chosen) {
    fmt::print("\n{}", pareto_plot(book, kNone, kPlotColumns, kPlotRows));
    return;
  }
  fmt::print("\n");
  for (const UnitRow& row : explain_units(s.problem, chosen->plan))
    fmt::print("{:<24} {:<14} {}\n", row.unit, s.problem.processors[size_t(row.processor)],
               reason_of(s.problem, row));
}

Status write_files(const PlanFlags& options, const Setting& s, const Book& book,
                   const std::optional<PlanPoint>& chosen) {
  const FinishWriting uninterrupted;
  if (!options.book.empty()) {
    if (const Status written = write_book(options.book, book); !written) return written;
  }
  if (options.plan.empty() || !chosen) return {};
  const Book one = book_of(s.problem, {*chosen}, s.profile, options.strategy);
  Plan plan = plan_of(one, one.entries[0]);
  add_reasons(plan, s.problem, chosen->plan);
  return write_plan(options.plan, plan);
}

// What is run for real: the best few by the model of losses, and, as that model is a sum and errors are not,
// the best of each simple kind, which a sum may misjudge together (docs/results.md, animevideov3).
Result<std::vector<PlanPoint>> candidates_for(const PlanFlags& options, const Setting& s, double deadline) {
  auto candidates = best_plans(s.problem, deadline, options.best, s.constraints);
  if (!candidates) return candidates;
  for (const auto& front : {prefix_plans(s.problem, s.constraints), suffix_plans(s.problem, s.constraints),
                            random_plans(s.problem, s.constraints, kRandomPlans, 1)}) {
    auto point = plan_for(front, deadline);
    const auto same = [&](const PlanPoint& known) { return known.plan == point->plan; };
    if (point && std::ranges::none_of(*candidates, same)) candidates->push_back(*std::move(point));
  }
  return candidates;
}

// The plan that really is the truest in time: the best few by the model, run on pictures. Where none of them
// keeps the deadline as measured, the model is asked again for as much less.
Result<PlanPoint> proven(const PlanFlags& options, const Setting& s, double deadline) {
  constexpr int kTries = 3;
  const auto files = picture_files(options.pictures);
  if (!files) return files.error();
  std::vector<Picture> small;
  for (const auto& file : *files) {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    small.push_back(*std::move(picture));
  }
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  ThreadPool threads(count);
  double asked = deadline;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto candidates = candidates_for(options, s, asked);
    if (!candidates) return candidates.error();
    std::vector<Plan> plans;
    for (const PlanPoint& candidate : *candidates) {
      const Book one = book_of(s.problem, {candidate}, s.profile, options.strategy);
      plans.push_back(plan_of(one, one.entries[0]));
    }
    Progress progress("running the best plans");
    const auto ranked =
        rerank(s.model, plans, small,
               {.width = s.profile.width, .height = s.profile.height, .deadline_ms = deadline}, threads,
               [&](double share) { progress.update(share); });
    if (!ranked) return ranked.error();
    for (const Ranked& r : *ranked)
      fmt::print(stderr, "measured {:.3f} ms (predicted {:.3f}), msef {:.4f}{}\n", r.ms,
                 (*candidates)[size_t(r.candidate)].ms, r.msef,
                 r.lpf ? fmt::format(", lpf {:.5f}", *r.lpf) : "");
    const Ranked& first = ranked->front();
    const PlanPoint& point = (*candidates)[size_t(first.candidate)];
    if (first.ms <= deadline) return point;
    asked = std::min(asked, point.ms) * deadline / first.ms;
  }
  return Error{ErrorCode::deadline, fmt::format("no plan met {:.3f} ms when it was run", deadline),
               "the machine is busier than when it was profiled: fye profile --again, or a longer deadline"};
}

// The best plans under no conditions are kept for fye up --deadline and fye run.
void keep(const PlanFlags& options, const Setting& s, const Book& book) {
  if (options.strategy != "exact" || !options.processors.empty() || !s.constraints.allowed.empty() ||
      s.constraints.max_switches >= 0 || s.constraints.max_mj)
    return;
  const auto file = kept_file("books", book.graph_sha256, book.width, book.height, book.machine);
  if (!file) return;
  std::error_code ignored;
  std::filesystem::create_directories(file->parent_path(), ignored);
  const FinishWriting uninterrupted;
  if (const Status written = write_book(*file, book); !written)
    spdlog::info("the book is not kept: {}", written.error().text());
}

Status run(const PlanFlags& options) {
  std::optional<double> deadline;
  if (!options.deadline.empty()) {
    const auto ms = parse_deadline("--deadline", options.deadline);
    if (!ms) return ms.error();
    deadline = *ms;
  }
  if (!options.plan.empty() && !deadline)
    return usage_error("-o: a plan is for a deadline", "add --deadline 40ms, or write all plans with --book");
  if (options.strategy == "fye" && (!deadline || options.data.empty()))
    return usage_error("--strategy fye: learns for one deadline from photographs",
                       "add --deadline 40ms and --data PHOTOS (a folder)");
  const bool constrained =
      !options.on.empty() || !options.keep_f32.empty() || options.max_switches >= 0 || options.max_mj;
  if (options.strategy != "fye" && !options.budget.empty())
    return usage_error("--budget: is for --strategy fye; the others take less than a second or two");
  if (options.strategy == "fye" && constrained)
    return usage_error("--strategy fye: obeys no other condition than the deadline",
                       "leave out --on, --keep-f32, --max-switches and --max-mj");
  const auto setting = prepare(options);
  if (!setting) return setting.error();
  const auto found = find_plans(options, *setting);
  if (!found) return found.error();
  std::optional<PlanPoint> chosen;
  if (deadline) {
    auto point = plan_in_time(*setting, *found, *deadline);
    if (point && !options.pictures.empty()) point = proven(options, *setting, *deadline);
    if (!point) return point.error();
    chosen = *std::move(point);
  }
  const Book book = book_of(setting->problem, found->front, setting->profile, options.strategy);
  if (auto status = write_files(options, *setting, book, chosen); !status) return status;
  keep(options, *setting, book);
  if (options.json)
    print_json(options, *setting, *found, chosen);
  else
    print_text(options, *setting, *found, book, chosen);
  return {};
}

}  // namespace

Run add_plan(CLI::App& app) {
  auto options = std::make_shared<PlanFlags>();
  PlanFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--deadline", o.deadline, "40ms, 0.04s or 40 (milliseconds); without it: all deadlines");
  app.add_option("-o,--output", o.plan, "plan.json to write, for the deadline");
  app.add_option("--book", o.book, "book.json to write: the plans for all deadlines");
  app.add_option(
      "--pictures", o.pictures,
      "small pictures or folders: the best plans are run on them, and the one is taken that keeps the "
      "deadline as measured and looks most like the float network's picture (LPIPS)");
  app.add_option("--best", o.best,
                 "how many plans of the exact planner --pictures runs; the best of prefix, suffix and random "
                 "ones run too")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--profile", o.profile, "profile.json of fye profile; the one it kept, by default");
  app.add_option("--losses", o.losses,
                 "losses.json of fye sensitivity; NAME.losses.json beside NAME.onnx, by default");
  app.add_option("--size", o.size, "of the picture that goes in, to find the profile that was kept")
      ->capture_default_str();
  app.add_option("--threads,-j", o.threads, "processor cores of that profile, all by default");
  app.add_option("--processors", o.processors,
                 "to plan for: cpu.f32,cpu.int8 and so on; all of the profile's by default")
      ->delimiter(',');
  app.add_option("--on", o.on, "UNIT=PROCESSOR: this unit runs there; may be given again");
  app.add_option("--keep-f32", o.keep_f32,
                 "units with such names stay on cpu.f32 (*, ?, [...]); may be given again");
  app.add_option("--max-switches", o.max_switches, "at most so many changes of processor from unit to unit")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--max-mj", o.max_mj, "at most so many millijoules a picture, by the profile's watts")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--strategy", o.strategy,
                 "exact; or greedy, random, prefix, suffix, fye (learned), for comparison")
      ->check(CLI::IsMember({"exact", "greedy", "random", "prefix", "suffix", "fye"}))
      ->capture_default_str();
  app.add_option("--data", o.data, "photographs that --strategy fye learns from (a folder)");
  app.add_option("--budget", o.budget,
                 "time that --strategy fye may take: 60s, 10m; the best plan so far is kept");
  app.add_flag("--strict", o.strict, "refuse a profile of another machine or build");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Finds the plan that is truest to the float network among all that meet the deadline, by the times of fye profile
and the losses of fye sensitivity. Exit code 4: no plan is that fast.

Examples:
  fye plan abpn_x3 --losses losses.json --deadline 40ms -o plan.json
  fye plan net.onnx --profile profile.json --losses losses.json --book book.json
  fye plan abpn_x3 --deadline 40ms --strategy fye --data photos/ --budget 10m -o plan.json
  fye plan net.onnx --deadline 33ms --keep-f32 'tail*' --on head=cpu.f32 --max-switches 2)");
  return [options] { return run(*options); };
}

}  // namespace fye
