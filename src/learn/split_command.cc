// fye-train split: learns plans for deadlines as FYE-SR does, writes them as a plan book, and says how they
// compare with another planner's.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/clock.h"
#include "base/json.h"
#include "learn/commands.h"
#include "learn/run_options.h"
#include "learn/split_learn.h"
#include "learn/split_measure.h"
#include "plan/book.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Seconds between lines of progress.
constexpr double kReportEvery = 5;
// Deadlines beyond a day are typing errors.
constexpr double kLongestMs = 86400e3;
// Of crops that plans are compared on: apart from those that are learned from.
constexpr uint64_t kHeldOutSeed = 20240519;

struct SplitCommand {
  fs::path model, profile, losses, data, out, against, estimator;
  std::vector<std::string> deadlines, processors{"cpu.f32", "cpu.int8"};
  std::string percept = "estimator", budget;
  int crop = 48, crops = 128, held_out = 16;
  bool json = false;
  SplitOptions options;
};

Result<double> deadline_ms(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double ms = unit == "ms" || unit.empty() ? value : unit == "s" ? value * 1e3 : NAN;
  if (end == text.c_str() || !(ms > 0 && ms <= kLongestMs))
    return usage_error("--deadline " + text + " is no time above 0 and up to a day", "write 40ms or 1.5s");
  return ms;
}

// One plan for one deadline, and what it was found to be.
struct Row {
  double deadline = 0;
  std::string strategy, note;
  Assignment plan;
  double ms = 0;               // predicted
  std::optional<double> loss;  // predicted msef
  std::optional<double> seconds;
  PlanScores scores;
};

struct Setting {
  SplitNet net;
  PlanProblem problem;
  Profile profile;
  bool losses = false;
  std::vector<double> deadlines;
};

Result<Setting> settle(const SplitCommand& c) {
  Setting s;
  for (const std::string& text : c.deadlines) {
    const auto ms = deadline_ms(text);
    if (!ms) return ms.error();
    s.deadlines.push_back(*ms);
  }
  std::sort(s.deadlines.begin(), s.deadlines.end());
  auto net = load_split_net(c.model, c.processors);
  if (!net) return net.error();
  s.net = *std::move(net);
  auto profile = read_profile(c.profile, s.net.graph.sha256);
  if (!profile) return profile.error();
  s.profile = *std::move(profile);
  std::optional<Losses> losses;
  if (!c.losses.empty()) {
    auto read = read_losses(c.losses, s.net.graph.sha256);
    if (!read) return read.error();
    losses = *std::move(read);
  }
  s.losses = losses.has_value();
  auto problem =
      plan_problem(s.net.graph, &s.net.calib, s.net.processors, s.profile, losses ? &*losses : nullptr);
  if (!problem) return problem.error();
  s.problem = *std::move(problem);
  return s;
}

// "cpu.f32 x 2, cpu.int8 x 5": runs of units in order.
std::string text_of(const PlanProblem& problem, const Assignment& plan) {
  std::string text;
  for (size_t u = 0; u < plan.size();) {
    size_t end = u;
    while (end < plan.size() && plan[end] == plan[u]) ++end;
    text += fmt::format("{}{} x {}", u ? ", " : "", problem.processors[size_t(plan[u])], end - u);
    u = end;
  }
  return text;
}

void print_row(const Row& row, const PlanProblem& problem) {
  fmt::print("{:9.3f} ms  {:<6} {:9.3f} ms", row.deadline, row.strategy, row.ms);
  if (row.loss) fmt::print("  predicted msef {:.4f}", *row.loss);
  fmt::print("  msef {:.4f}", row.scores.msef);
  for (const auto& [name, value] : row.scores.scores) fmt::print("  {} {:.4f}", name, value);
  if (row.seconds) fmt::print("  {:.1f} s", *row.seconds);
  fmt::print("  {}{}\n", text_of(problem, row.plan), row.note.empty() ? "" : "  (" + row.note + ")");
}

Json json_of(const Row& row, const PlanProblem& problem) {
  Json json{{"deadline_ms", row.deadline}, {"strategy", row.strategy}, {"ms", row.ms}};
  if (row.loss) json["predicted_msef"] = *row.loss;
  json["msef"] = row.scores.msef;
  for (const auto& [name, value] : row.scores.scores) json[name] = value;
  if (row.seconds) json["seconds"] = *row.seconds;
  if (!row.note.empty()) json["note"] = row.note;
  for (size_t u = 0; u < row.plan.size(); ++u)
    json["plan"][problem.units[u].name] = problem.processors[size_t(row.plan[u])];
  return json;
}

// Of plans with the same time or less, only truer ones stay; by measured msef.
Book book_of(const Setting& s, std::vector<Row> rows) {
  Book book{.graph_sha256 = s.net.graph.sha256,
            .machine = s.profile.machine,
            .width = s.profile.width,
            .height = s.profile.height,
            .strategy = "fye",
            .units = {},
            .entries = {}};
  for (const auto& unit : s.problem.units) book.units.push_back(unit.name);
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.ms, a.scores.msef) < std::pair(b.ms, b.scores.msef);
  });
  for (const Row& row : rows) {
    BookEntry entry{
        .ms = row.ms, .msef = row.loss.value_or(row.scores.msef), .measured_msef = row.scores.msef};
    for (const int p : row.plan) entry.processor.push_back(s.problem.processors[size_t(p)]);
    const bool truer =
        book.entries.empty() || (row.ms > book.entries.back().ms && entry.msef < book.entries.back().msef &&
                                 row.scores.msef < *book.entries.back().measured_msef);
    if (truer) book.entries.push_back(std::move(entry));
  }
  return book;
}

// The plans of another book at the same deadlines.
Result<std::vector<Row>> rows_of(const Book& book, const Setting& s) {
  std::vector<Row> rows;
  for (size_t u = 0; u < s.problem.units.size(); ++u)
    if (book.units.size() != s.problem.units.size() || book.units[u] != s.problem.units[u].name)
      return bad_input("--against: that book is for a network of other units");
  for (const double deadline : s.deadlines) {
    const BookEntry* entry = entry_for(book, deadline);
    if (!entry) continue;
    Row row{.deadline = deadline,
            .strategy = book.strategy,
            .note = {},
            .plan = {},
            .loss = {},
            .seconds = {},
            .scores = {}};
    for (const std::string& name : entry->processor) {
      const auto at = std::find(s.problem.processors.begin(), s.problem.processors.end(), name);
      if (at == s.problem.processors.end())
        return bad_input("--against: that book uses " + name + ", which is not among --processors");
      row.plan.push_back(int(at - s.problem.processors.begin()));
    }
    row.ms = predicted_ms(s.problem, row.plan);
    if (s.losses) row.loss = predicted_loss(s.problem, row.plan);
    rows.push_back(std::move(row));
  }
  return rows;
}

// Prints how far the learner is, every few seconds, on stderr: stdout is for results.
std::function<void(const SplitProgress&)> reporter(double deadline, size_t index, size_t all) {
  struct State {
    Stopwatch whole;
    double last = 0;
  };
  const auto state = std::make_shared<State>();
  return [state, deadline, index, all](const SplitProgress& p) {
    const double now = state->whole.ms() / 1e3;
    if (now - state->last < kReportEvery) return;
    state->last = now;
    const double done = (p.start == "even" ? 0.0 : 0.5) + p.progress / 2;
    fmt::print(
        stderr,
        "{:.3f} ms ({} of {}), start {}, step {}: predicted {:.3f} ms, quality {:.4f}, mu {:.2f}, undecided "
        "{:.2f}; {:.0f} s to go\n",
        deadline, index + 1, all, p.start, p.step, p.time_ms, p.quality, p.mu, p.undecided,
        now * ((1 - done) / done + double(all - index - 1) / done));
  };
}

Result<int> run_split(SplitCommand& c, const std::atomic<bool>& stop) {
  // Threads go side by side, each on its own crops; inside an operation one is enough.
  torch::set_num_threads(1);
  const auto kind = percept_kind(c.percept);
  if (!kind) return kind.error();
  if (!c.budget.empty() && !(c.options.budget_seconds = seconds_of(c.budget) / 2 / double(c.deadlines.size()),
                             c.options.budget_seconds > 0))
    return usage_error("--budget " + c.budget + " is no time", "write 90m, 2h or 45s");
  auto setting = settle(c);
  if (!setting) return setting.error();
  Setting& s = *setting;
  std::optional<Book> other;
  if (!c.against.empty()) {
    auto read = read_book(c.against, s.net.graph.sha256);
    if (!read) return read.error();
    other = *std::move(read);
  }
  if (c.estimator.empty()) c.estimator = c.model.parent_path() / "training" / "estimator.pt";
  if (std::error_code ignored; *kind == PerceptKind::estimator && !fs::exists(c.estimator, ignored))
    return bad_input(c.estimator.string() + ": no estimator there",
                     "give --estimator models/training/estimator.pt, or another --percept");
  const auto percept = make_percept(*kind, c.estimator);
  if (!percept) return percept.error();
  const auto net = MixedNet::make(s.net.graph, &s.net.calib, s.net.processors);
  if (!net) return net.error();
  const auto fastest = fastest_plan(*net, s.problem);
  if (!fastest) return fastest.error();

  const auto pictures = load_training_set(c.data, {}, s.net.scale);
  if (!pictures) return pictures.error();
  for (const auto& refused : pictures->refused) fmt::print(stderr, "left out: {}\n", refused);
  const auto crops = draw_crops(pictures->train, s.net.scale, c.crops, c.crop, c.options.seed);
  if (!crops) return crops.error();
  const auto quality = quality_crops(s.net, *net, *crops, *percept);
  if (!quality) return quality.error();
  const int64_t judged = std::min<int64_t>(c.options.judged, c.crops);
  const auto seen =
      PlanRunner::make(s.net, {crops->low.slice(0, 0, judged), crops->high.slice(0, 0, judged)});
  if (!seen) return seen.error();

  std::vector<Row> rows;
  bool missed = false, complete = true;
  for (size_t i = 0; i < s.deadlines.size() && !stop; ++i) {
    const double deadline = s.deadlines[i];
    Row row{.deadline = deadline,
            .strategy = "fye",
            .note = {},
            .plan = {},
            .loss = {},
            .seconds = {},
            .scores = {}};
    if (fastest->ms > deadline) {
      missed = true;
      fmt::print(stderr,
                 "fye-train: no plan meets {:.3f} ms; the nearest takes {:.3f} ms, {:.3f} ms more: {}\n",
                 deadline, fastest->ms, fastest->ms - deadline, text_of(s.problem, fastest->plan));
      row.plan = fastest->plan, row.note = "misses the deadline";
    } else {
      const auto learned = learn_split(*net, s.problem, *quality, *percept, deadline, c.options,
                                       reporter(deadline, i, s.deadlines.size()), stop);
      if (!learned) return learned.error();
      complete = complete && learned->complete;
      row.plan = learned->plan, row.seconds = learned->seconds;
      row.note = fmt::format("start {}, {} steps, unit {:.3g}, {} units repaired", learned->start,
                             learned->steps, learned->unit, changes(learned->unrepaired, learned->plan));
    }
    row.ms = predicted_ms(s.problem, row.plan);
    if (s.losses) row.loss = predicted_loss(s.problem, row.plan);
    const auto msef = seen->msef(row.plan);
    if (!msef) return msef.error();
    row.scores.msef = *msef;
    if (!c.json && !other) print_row(row, s.problem);
    std::fflush(stdout);
    rows.push_back(std::move(row));
  }
  complete = complete && rows.size() == s.deadlines.size();
  if (rows.empty()) return 130;
  if (auto written = write_book(c.out, book_of(s, rows)); !written) return written.error();

  if (other) {
    auto more = rows_of(*other, s);
    if (!more) return more.error();
    if (other->strategy == "exact" && s.losses) {
      // What the exact planner spends on all of them together.
      const Stopwatch watch;
      if (const auto front = exact_plans(s.problem); !front) return front.error();
      for (Row& row : *more) row.seconds = watch.ms() / 1e3;
    }
    rows.insert(rows.end(), more->begin(), more->end());
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.deadline < b.deadline; });
    const auto held_out = draw_crops(pictures->validation, s.net.scale, c.held_out, c.crop, kHeldOutSeed);
    if (!held_out) return held_out.error();
    const auto runner = PlanRunner::make(s.net, *held_out);
    if (!runner) return runner.error();
    for (Row& row : rows) {
      auto scores = runner->scores(row.plan);
      if (!scores) return scores.error();
      row.scores = *std::move(scores);
      if (!c.json) print_row(row, s.problem);
    }
  }
  if (c.json) {
    Json all = Json::array();
    for (const Row& row : rows) all.push_back(json_of(row, s.problem));
    fmt::print("{}\n", all.dump(2));
  }
  return missed ? int(ErrorCode::deadline) : complete ? 0 : int(ErrorCode::partial);
}

}  // namespace

void add_split_command(CLI::App& program, int& code, const std::atomic<bool>& stop) {
  auto c = std::make_shared<SplitCommand>();
  auto& o = c->options;
  auto* verb = program.add_subcommand("split", "learn which unit runs where for a deadline, as FYE-SR does");
  verb->add_option("model", c->model, "NAME.onnx, with NAME.calib.json beside it")->required();
  verb->add_option("--profile", c->profile, "profile.json of fye profile")->required();
  verb->add_option("--losses", c->losses,
                   "losses.json of fye sensitivity: for repairs and predictions alone");
  verb->add_option("--data", c->data, "folder of clean photographs, at least 16")->required();
  verb->add_option("--deadline", c->deadlines, "40ms, 1.5s; may be given again")->required();
  verb->add_option("--out", c->out, "book.json")->required();
  verb->add_option("--processors", c->processors, "to plan for, the first one cpu.f32")
      ->delimiter(',')
      ->capture_default_str();
  verb->add_option("--percept", c->percept, "estimator, soft-piqe, lpips (to the float picture) or none")
      ->capture_default_str();
  verb->add_option("--estimator", c->estimator, "estimator.pt [training/estimator.pt beside the model]");
  verb->add_option("--lambda-percept", o.weights.percept)
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--lambda-structure", o.weights.structure)
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--towards-float", o.weights.towards_float,
                 "structural loss against the float network's picture");
  verb->add_option("--quality-unit", o.quality_unit,
                   "what quality is divided by; 0: the uniform plans' spread")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--idle", o.idle, "weight of T / T_obj")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--margin", o.margin, "learns for so much less than the deadline")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 0.9));
  verb->add_option("--rate", o.rate, "Adam's")->capture_default_str()->check(CLI::PositiveNumber);
  verb->add_option("--straight-through", o.straight_through, "share of the steps that go forward rounded")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--steps", o.steps, "of each of two starts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  verb->add_option("--budget", c->budget, "wall-clock time for all deadlines: 90m, 2h, 45s");
  verb->add_option("--batch", o.batch, "crops a step")->capture_default_str()->check(CLI::Range(1, 4096));
  verb->add_option("--crop", c->crop, "side in low-resolution pixels")
      ->capture_default_str()
      ->check(CLI::Range(8, 1024));
  verb->add_option("--crops", c->crops, "to learn from")->capture_default_str()->check(CLI::Range(1, 65536));
  verb->add_option("--threads", o.threads, "must divide the batch")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  verb->add_option("--seed", o.seed)->capture_default_str();
  verb->add_option("--against", c->against, "another planner's book.json, compared on held-out crops");
  verb->add_option("--held-out", c->held_out, "crops for that")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  verb->add_flag("--json", c->json, "results as JSON on stdout");
  verb->callback([c, &code, &stop] {
    const auto done = run_split(*c, stop);
    code = done ? *done : fail(done.error());
  });
}

}  // namespace fye
