// fye run MODEL PICTURE...
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/file.h"
#include "profile/conditions.h"
#include "runtime/book_session.h"
#include "runtime/trace.h"

namespace fye {
namespace {

// A stream is late as a whole if more of its pictures are (docs/formats.md, exit codes).
constexpr double kLateShare = 0.01;
// Time that no step claims, above which an account is not one (design.md, "Time adds up").
constexpr double kRestShare = 0.05;

struct RunFlags {
  ModelOptions model;
  std::vector<std::string> pictures;
  std::string plan, book, deadline, threads, trace, output;
  int frames = 0, plans = 6;
  bool json = false, strict = false;
};

Result<std::vector<Picture>> read_pictures(const std::vector<std::string>& files) {
  std::vector<Picture> pictures;
  for (const std::string& file : files) {
    auto picture = read_picture(file);
    if (!picture) return picture.error();
    if (!pictures.empty() && (picture->width != pictures[0].width || picture->height != pictures[0].height))
      return bad_input(fmt::format("{}: {}x{}, where the first picture is {}x{}", file, picture->width,
                                   picture->height, pictures[0].width, pictures[0].height),
                       "the pictures of a stream are of one size");
    pictures.push_back(*std::move(picture));
  }
  if (pictures.empty())
    return usage_error("no picture was given", "write: fye run abpn_x3 frame.png --deadline 40ms");
  return pictures;
}

// A book of one plan, whose time is what it predicts (or, where it says none, the deadline itself).
Result<FoundBook> book_of_plan(const RunFlags& options, const Model& model, double deadline,
                               const MachineId& machine) {
  const auto plan = read_plan(options.plan, model.graph.sha256);
  if (!plan) return plan.error();
  FoundBook found;
  if (is_shared(*plan))
    return bad_input(fmt::format("{}: processors work side by side in this plan; a stream runs plans with one processor a unit", options.plan),
                     "fye up --plan and fye bench --plan run it on whole pictures");
  if (const std::string other = plan->machine ? difference(*plan->machine, machine) : ""; !other.empty()) {
    if (options.strict)
      return bad_input(fmt::format("{}: was made for {}", options.plan, other),
                       "make a plan for this machine, or leave --strict out");
    found.notices.push_back(fmt::format("the plan was made for {}: its time may not hold here", other));
  }
  Book& book = found.book;
  book.graph_sha256 = model.graph.sha256;
  book.machine = machine;
  BookEntry entry{.processor = {}, .ms = std::min(plan->ms.value_or(deadline), deadline)};
  for (const PlanStep& step : plan->steps)
    for (const std::string& unit : step.units) {
      book.units.push_back(unit);
      entry.processor.push_back(step.processor);
    }
  book.entries = {entry};
  return found;
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, size_t(std::ceil(share * double(values.size()))) - 1)];
}

struct Summary {
  int frames = 0, late = 0, changes = 0;
  double p50 = 0, p95 = 0, p99 = 0;
  std::map<int, int> by_entry;
  // Shares of all time, FrameTrace's rows.
  double units = 0, hand_overs = 0, moving = 0, around = 0, waiting = 0, rest = 0;
  double late_share() const { return frames ? double(late) / frames : 0; }
};

// Adds up pictures one by one, so that a long stream takes little memory.
struct Account {
  Summary sums;  // times and rows in ms until told()
  std::vector<double> times;

  void add(const FrameTrace& t) {
    ++sums.frames;
    sums.late += t.late;
    ++sums.by_entry[t.entry];
    times.push_back(t.ms);
    for (const auto& [unit, ms] : t.units) sums.units += ms;
    for (const auto& [tensor, ms] : t.hand_overs) sums.hand_overs += ms;
    sums.moving += t.moving;
    sums.around += t.around;
    sums.waiting += t.waiting;
    sums.rest += t.rest;
  }

  // At least one picture.
  Summary told(int changes) const {
    Summary s = sums;
    s.changes = changes;
    const double all = std::accumulate(times.begin(), times.end(), 0.);
    for (double* share : {&s.units, &s.hand_overs, &s.moving, &s.around, &s.waiting, &s.rest}) *share /= all;
    s.p50 = percentile(times, 0.5);
    s.p95 = percentile(times, 0.95);
    s.p99 = percentile(times, 0.99);
    return s;
  }
};

void print(const Summary& s, const Book& book, double deadline, double scale) {
  fmt::print(
      "{} pictures, {} late ({:.1f} %), deadline {:.2f} ms; p50 {:.2f}, p95 {:.2f}, p99 {:.2f} ms; {} "
      "changes\n",
      s.frames, s.late, 100 * s.late_share(), deadline, s.p50, s.p95, s.p99, s.changes);
  for (const auto& [entry, count] : s.by_entry) {
    const BookEntry& plan = book.entries[size_t(entry)];
    fmt::print("  plan {:>4}: {:>6} pictures; predicted {:.2f} ms, msef {:.4f}\n", entry, count,
               plan.best_ms() * scale, plan.measured_msef.value_or(plan.msef));
  }
  fmt::print("  time: units {:.1f} %, hand-overs {:.1f} %, rows moved {:.1f} %, around the network {:.1f} %, "
             "waiting {:.1f} %\n",
             100 * s.units, 100 * s.hand_overs, 100 * s.moving, 100 * s.around, 100 * s.waiting);
}

Status run(const RunFlags& options) {
  const auto deadline = parse_deadline("--deadline", options.deadline);
  if (!deadline) return deadline.error();
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  if (!options.plan.empty() && !options.book.empty())
    return usage_error("--plan and --book can't both say what runs", "leave one of them out");
  const auto file = model_path(options.model, 0);
  if (!file) return file.error();
  const auto model = load_model(options.model, 0);
  if (!model) return model.error();
  const auto pictures = read_pictures(options.pictures);
  if (!pictures) return pictures.error();
  ThreadPool threads(count);
  const MachineId machine = this_machine(threads.size());
  auto given = options.plan.empty()
                   ? book_for(options.book, *file, model->name, model->graph.sha256, pictures->front().width,
                              pictures->front().height, machine, options.strict)
                   : book_of_plan(options, *model, *deadline, machine);
  if (!given) return given.error();
  const FoundBook& found = *given;
  for (const std::string& notice : found.notices) spdlog::warn("note: {}", notice);

  BookSessionOptions how{.deadline_ms = *deadline, .plans = options.plans, .scale = found.scale};
  auto session = BookSession::create(*model, found.book, how, threads);
  if (!session) return session.error();
  if (auto status = session->warm_up(pictures->front()); !status) return status;
  spdlog::info("{} plans are prepared in {:.1f} MB", session->entries().size(),
               static_cast<double>(session->bytes()) / 1e6);
  const int frames = options.frames > 0 ? options.frames : int(pictures->size());
  Account account;
  std::vector<FrameTrace> traces;
  Picture last;
  {
    Progress progress("running");
    for (int i = 0; i < frames; ++i) {
      FrameTrace trace;
      auto big = session->run((*pictures)[size_t(i) % pictures->size()], &trace);
      if (!big) return big.error();
      account.add(trace);
      if (!options.trace.empty()) traces.push_back(std::move(trace));
      if (i + 1 == frames) last = std::move(big->picture);
      progress.update(double(i + 1) / frames);
    }
  }
  const Summary summary = account.told(session->keeper().changes());
  const FinishWriting uninterrupted;
  if (!options.output.empty()) {
    if (const auto written = write_picture(last, options.output, {}); !written) return written.error();
  }
  if (!options.trace.empty()) {
    Trace trace{.graph_sha256 = model->graph.sha256,
                .threads = threads.size(),
                .machine = machine,
                .width = pictures->front().width,
                .height = pictures->front().height,
                .conditions = conditions_now(),
                .plans = {},
                .frames = std::move(traces)};
    for (const FrameTrace& frame : trace.frames)
      trace.plans.try_emplace(frame.entry, plan_of(found.book, found.book.entries[size_t(frame.entry)]).steps);
    if (const Status written = write_trace(options.trace, trace); !written) return written;
  }
  if (summary.rest > kRestShare)
    spdlog::warn("note: {:.0f} % of the time belongs to no unit and no hand-over", 100 * summary.rest);
  if (options.json) {
    Json json = {
        {"frames", summary.frames},        {"late", summary.late},       {"late_share", summary.late_share()},
        {"deadline_ms", *deadline},        {"p50_ms", summary.p50},      {"p95_ms", summary.p95},
        {"p99_ms", summary.p99},           {"changes", summary.changes}, {"load", session->keeper().load()},
        {"bytes", session->bytes()},    {"prepared", session->entries()}};
    json["time"] = {{"units", summary.units},   {"hand_overs", summary.hand_overs}, {"moving", summary.moving},
                    {"around", summary.around}, {"waiting", summary.waiting},       {"rest", summary.rest}};
    for (const auto& [entry, pictures_of] : summary.by_entry)
      json["plans"][std::to_string(entry)] = pictures_of;
    fmt::print("{}\n", json.dump(2));
  } else {
    print(summary, found.book, *deadline, found.scale);
  }
  if (summary.late_share() > kLateShare)
    return Error{ErrorCode::deadline,
                 fmt::format("{} of {} pictures were late", summary.late, summary.frames),
                 "a longer deadline, fewer other programs, or more threads"};
  return {};
}

}  // namespace

Run add_run(CLI::App& app) {
  auto options = std::make_shared<RunFlags>();
  RunFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("PICTURES", o.pictures, "pictures of one size; taken in turns");
  app.add_option("--deadline", o.deadline, "of each picture: 40ms, 0.04s or 40 (milliseconds)")->required();
  app.add_option("--book", o.book, "book.json of fye plan; the one that was kept, by default")
      ->type_name("FILE");
  app.add_option("--plan", o.plan, "plan.json: this plan alone")->type_name("FILE");
  app.add_option("--frames", o.frames, "so many pictures, from the first again after the last")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--plans", o.plans, "how many plans of the book are prepared to choose from")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.add_option("--trace", o.trace, "trace.json to write: where each picture's time went");
  app.add_option("-o,--output", o.output, "the last picture");
  app.add_flag("--strict", o.strict, "refuse a book of another machine, build or size");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Runs a stream of pictures under a deadline: the truest plan of the book that keeps it, a faster one while the
machine is busy. Exit code 4: more than 1 in 100 were late.

Examples:
  fye run abpn_x3 frame.png --deadline 40ms --frames 1000
  fye run net.onnx frames/*.png --deadline 33ms --book book.json --trace trace.json)");
  return [options] { return run(*options); };
}

}  // namespace fye
