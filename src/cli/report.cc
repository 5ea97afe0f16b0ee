// fye report IN -o report.html
#include "report/report.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "cli/interrupt.h"
#include "cli/machine.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/report_inputs.h"
#include "cli/verb.h"
#include "image/file.h"
#include "image/resize.h"
#include "profile/conditions.h"
#include "report/page.h"
#include "report/shown.h"
#include "report/traced.h"
#include "runtime/measuring.h"
#include "runtime/trace.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct ReportFlags {
  std::string input, output, result;
  ModelOptions model;
  ReportFiles files;
  std::string plan, against, deadline, numbers = "auto", trace, crop, size = "640x360", threads;
  int scale = 0, rounds = 9, shave = 0;
};

// What one call works with. Pictures stay where they are: the tables of scores point at them.
struct Work {
  Model model;
  Report report;
  std::optional<Picture> input, original;
  std::vector<TracedRun> results;  // by run of the report; pictures alone where nothing was traced
  std::optional<double> deadline;
  std::optional<Trace> trace;
};

Status check_options(const ReportFlags& o) {
  const auto both = [](bool a, bool b, const char* what, const char* hint) -> Status {
    return a && b ? Status(usage_error(what, hint)) : Status();
  };
  const bool plan = !o.plan.empty(), deadline = !o.deadline.empty(), numbers = o.numbers != "auto";
  for (const Status& status :
       {both(plan, deadline, "--plan and --deadline can't both say what runs", "leave one of them out"),
        both(plan, numbers, "--plan and --numbers can't both say what runs", "leave one of them out"),
        both(deadline, numbers, "--deadline and --numbers can't both say what runs", "leave one of them out"),
        both(!o.trace.empty(), deadline || numbers, "--trace tells what ran; --deadline and --numbers would say it again",
             "leave one of them out"),
        both(!o.against.empty(), !o.trace.empty(), "--trace tells of one plan; --against wants two",
             "leave one of them out"),
        both(!o.against.empty(), !o.result.empty(), "--result is the picture of one plan; --against wants two",
             "leave one of them out"),
        both(o.input.empty(), !o.files.original.empty(), "--original is for a picture, and none was given",
             "write: fye report small.jpg -o report.html --original big.png"),
        both(o.input.empty(), !o.result.empty(), "--result is for a picture, and none was given",
             "write: fye report small.jpg -o report.html --result big.png"),
        both(o.input.empty(), !o.crop.empty(), "--crop is for a picture, and none was given",
             "write: fye report small.jpg -o report.html --crop 320x240"),
        both(!o.result.empty(), !plan && !deadline && !numbers && o.trace.empty(),
             "--result does not tell what made the picture",
             "add --plan plan.json, --trace trace.json or --numbers f32, whichever it was")})
    if (!status) return status;
  std::string extension = fs::path(o.output).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return std::tolower(c); });
  if (extension != ".html" && extension != ".htm")
    return usage_error(fmt::format("-o {}: a report is a page", o.output), "give a name that ends in .html");
  return {};
}

Result<Plan> chosen_plan(const ReportFlags& o, const Work& work, ThreadPool& threads, std::string& chosen) {
  const Model& model = work.model;
  if (!o.plan.empty()) {
    chosen = o.plan;
    return read_plan(o.plan, model.graph.sha256);
  }
  if (work.deadline) {
    if (!work.report.book) return bad_input("--deadline: " + work.report.absent.back().why, work.report.absent.back().command);
    FoundBook found{work.report.book->value, 1, {}};
    found.scale = double(work.report.width) * work.report.height / (double(found.book.width) * found.book.height);
    chosen = fmt::format("the truest plan of the book for {:g} ms", *work.deadline);
    return plan_within(found, work.report.width, work.report.height, *work.deadline);
  }
  UpscaleOptions upscale;
  if (o.numbers != "auto") {
    const auto numbers = parse_numbers("--numbers", o.numbers);
    if (!numbers) return numbers.error();
    upscale.numbers = *numbers;
  }
  const auto upscaler = Upscaler::create(model, upscale, threads);
  if (!upscaler) return upscaler.error();
  Numbers numbers = upscaler->numbers();
  // As fye up does: 256 levels are too few for such a picture.
  if (work.report.bits == 16 && storage(numbers) == DType::u8) {
    numbers = Numbers::f32;
    spdlog::warn("note: a 16-bit picture runs in f32");
  }
  chosen = fmt::format("{} for every layer", name(numbers));
  return uniform_plan(model.graph, fmt::format("cpu.{}", name(numbers)));
}

// Which plans the report is about; nothing has run yet.
Status set_runs(const ReportFlags& o, Work& work, ThreadPool& threads) {
  Report& report = work.report;
  std::string chosen;
  std::optional<Plan> given;
  if (!work.trace || !o.plan.empty()) {
    auto plan = chosen_plan(o, work, threads, chosen);
    if (!plan) return plan.error();
    given = *std::move(plan);
  }
  ReportRun run{.name = o.against.empty() ? "result" : "A", .chosen = chosen, .plan = {}, .measured = {}, .frames = {}};
  if (work.trace) {
    const Trace& trace = *work.trace;
    const bool named_book = !o.files.book.empty() && report.book;
    auto traced = plan_of(trace, o.trace, given, named_book ? std::optional(report.book->value) : std::nullopt);
    if (!traced) return traced.error();
    run.plan = std::move(traced->plan);
    run.entry = traced->entry;
    if (chosen.empty()) run.chosen = fmt::format("the plan of most pictures in {}", o.trace);
    run.measured = o.trace;
    run.frames = trace.frames;
    run.machine = trace.machine;
    run.conditions = trace.conditions;
    run.width = trace.width;
    run.height = trace.height;
    run.deadline_ms = trace.frames.front().deadline_ms;
  } else {
    run.plan = *std::move(given);
  }
  report.runs.push_back(std::move(run));
  if (o.against.empty()) return {};
  auto other = read_plan(o.against, work.model.graph.sha256);
  if (!other) return other.error();
  report.runs.push_back({.name = "B", .chosen = o.against, .plan = *std::move(other), .measured = {}, .frames = {}});
  return {};
}

// Runs the plans in turns; or once, for the picture alone, where a trace has the times.
Status run_plans(const ReportFlags& o, Work& work, ThreadPool& threads) {
  Report& report = work.report;
  std::vector<Plan> plans;
  for (const ReportRun& run : report.runs) plans.push_back(run.plan);
  TracedOptions options{.rounds = work.trace ? 1 : o.rounds, .deadline_ms = work.deadline.value_or(0), .upscale = {}};
  options.upscale.scale = o.scale;
  const auto conditions = conditions_now();
  Progress progress("running");
  auto results = run_traced(work.model, plans, *work.input, options, threads, [&](double done) { progress.update(done); });
  if (!results) return results.error();
  work.results = *std::move(results);
  for (size_t r = 0; r < work.results.size(); ++r) {
    ReportRun& run = report.runs[r];
    for (const std::string& notice : work.results[r].report.notices)
      report.notices.push_back(fmt::format("{}: {}", run.name, notice));
    if (work.trace) continue;
    run.measured = "for this page";
    run.frames = work.results[r].frames;
    run.entry = 0;
    run.machine = report.here;
    run.conditions = conditions;
    run.width = report.width;
    run.height = report.height;
    run.deadline_ms = work.deadline.value_or(0);
  }
  return {};
}

// The picture that somebody made before.
Status read_result(const ReportFlags& o, Work& work) {
  auto picture = read_picture(o.result);
  if (!picture) return picture.error();
  const Picture& in = *work.input;
  const int scale = picture->width / in.width;
  if (scale < 1 || picture->width != in.width * scale || picture->height != in.height * scale)
    return bad_input(fmt::format("{}: {}x{} is not {}, {}x{}, so many times as large", o.result, picture->width,
                                 picture->height, o.input, in.width, in.height),
                     "give the picture that was made of it");
  work.results.emplace_back().picture = *std::move(picture);
  return {};
}

bool all_float(const Plan& plan) {
  return std::all_of(plan.steps.begin(), plan.steps.end(), [](const PlanStep& s) { return s.processor == "cpu.f32"; });
}

Status add_scores(const ReportFlags& o, Work& work, ThreadPool& threads) {
  Report& report = work.report;
  Progress progress("scoring");
  const Picture bicubic = resample_bicubic(*work.input, report.out_width, report.out_height);
  const Picture noisy = with_noise(work.results[0].picture);
  std::vector<NamedPicture> made;
  for (size_t r = 0; r < work.results.size(); ++r)
    made.push_back({report.runs[r].name, &work.results[r].picture});
  std::vector<NamedPicture> pictures = made;
  pictures.push_back({"bicubic", &bicubic});
  pictures.push_back({report.runs[0].name + " with noise", &noisy});
  const NamedPicture original{work.original ? "original" : "", work.original ? &*work.original : nullptr};
  auto table = score_table(work.original ? fmt::format("Against the original, {}", o.files.original)
                                         : "Without an original",
                           original, pictures, o.shave);
  if (!table) return table.error();
  report.scores.push_back(*std::move(table));
  const bool plans_lose = std::any_of(report.runs.begin(), report.runs.end(),
                                      [](const ReportRun& run) { return !all_float(run.plan); });
  if (!plans_lose || !o.result.empty()) return {};
  progress.update(0.5);
  UpscaleOptions exact;
  exact.numbers = Numbers::f32;
  exact.scale = o.scale;
  auto upscaler = Upscaler::create(work.model, exact, threads);
  if (!upscaler) return upscaler.error();
  const auto truth = upscaler->run(*work.input);
  if (!truth) return truth.error();
  auto fidelity = score_table("Against the same network in f32", {"f32", &truth->picture}, made, o.shave, false);
  if (!fidelity) return fidelity.error();
  report.scores.push_back(*std::move(fidelity));
  return {};
}

Result<std::vector<PagePicture>> page_pictures(const ReportFlags& o, Work& work) {
  const Report& report = work.report;
  const int scale = report.out_width / report.width;
  Window window = window_for(report.width, report.height, scale);
  if (!o.crop.empty()) {
    const auto crop = parse_crop("--crop", o.crop);
    if (!crop) return crop.error();
    window = {(report.width - crop->size.width) / 2, (report.height - crop->size.height) / 2, crop->size.width,
              crop->size.height};
    if (crop->at) window.left = crop->at->width, window.top = crop->at->height;
    if (auto inside = check_window(window, report.width, report.height, scale); !inside) return inside.error();
  }
  const bool part = window.width != report.width || window.height != report.height;
  if (part)
    work.report.notices.push_back(fmt::format("of the picture this page shows {}x{} from {}, {}; scores and times are of all of it",
                                              window.width, window.height, window.left, window.top));
  struct Shown {
    std::string name, about;
    const Picture* picture;
    int scale;
  };
  const std::string of = part ? "part of " : "";
  std::vector<Shown> wanted = {{"input", fmt::format("{}{} as it was given", of, report.picture), &*work.input, 1}};
  for (size_t r = 0; r < work.results.size(); ++r)
    wanted.push_back({report.runs[r].name,
                      fmt::format("{}{} enlarged {} times{}", of, report.picture, scale,
                                  o.result.empty() ? " by " + work.model.name : ""),
                      &work.results[r].picture, scale});
  if (work.original)
    wanted.push_back({"original", fmt::format("{}the original, {}", of, o.files.original), &*work.original, scale});
  std::vector<PagePicture> pictures;
  for (const Shown& shot : wanted) {
    auto picture = shown(*shot.picture, window, shot.scale, o.output);
    if (!picture) return picture.error();
    picture->name = shot.name;
    picture->about = shot.about;
    pictures.push_back(*std::move(picture));
  }
  return pictures;
}

// What only further files or pictures could show.
void note_absent(const ReportFlags& o, Work& work, const std::string& model) {
  Report& report = work.report;
  const std::string picture = o.input.empty() ? "small.jpg" : shell_word(o.input);
  const std::string begin = fmt::format("fye report {} -m {} -o {}", picture, model, shell_word(o.output));
  if (o.input.empty())
    report.absent.push_back({"picture", "no picture was given", begin});
  else if (!work.original)
    report.absent.push_back({"original", "no original was given to score the picture against",
                             begin + " --original big.png"});
  if (report.runs[0].frames.empty())
    report.absent.push_back({"time", o.result.empty() ? "nothing was run for this page" : "the picture was made before this page",
                             o.result.empty() ? begin : begin + " --trace trace.json"});
  if (o.against.empty())
    report.absent.push_back({"compare", "one plan was given", begin + " --plan plan.json --against other.json"});
}

Status read_inputs(const ReportFlags& o, Work& work) {
  Report& report = work.report;
  if (!o.deadline.empty()) {
    const auto deadline = parse_deadline("--deadline", o.deadline);
    if (!deadline) return deadline.error();
    work.deadline = *deadline;
  }
  if (!o.input.empty()) {
    auto picture = read_picture(o.input);
    if (!picture) return picture.error();
    work.input = *std::move(picture);
    report.picture = fs::path(o.input).filename().string();
    report.width = work.input->width;
    report.height = work.input->height;
    report.channels = work.input->channels;
    report.bits = work.input->bits;
  } else {
    const auto size = parse_size("--size", o.size);
    if (!size) return size.error();
    report.width = size->width;
    report.height = size->height;
  }
  if (!o.files.original.empty()) {
    auto original = read_picture(o.files.original);
    if (!original) return original.error();
    work.original = *std::move(original);
  }
  if (!o.trace.empty()) {
    auto trace = read_trace(o.trace, work.model.graph.sha256);
    if (!trace) return trace.error();
    work.trace = *std::move(trace);
  }
  return {};
}

Status make_pictures(const ReportFlags& o, Work& work, ThreadPool& threads) {
  Report& report = work.report;
  if (auto made = o.result.empty() ? run_plans(o, work, threads) : read_result(o, work); !made) return made;
  report.out_width = work.results[0].picture.width;
  report.out_height = work.results[0].picture.height;
  if (work.original && (work.original->width != report.out_width || work.original->height != report.out_height))
    return bad_input(fmt::format("{}: {}x{}, but the enlarged picture is {}x{}", o.files.original, work.original->width,
                                 work.original->height, report.out_width, report.out_height),
                     "give the original of that size, or another --scale");
  return add_scores(o, work, threads);
}

Status write_page(const ReportFlags& o, Work& work) {
  std::vector<PagePicture> pictures;
  if (work.input) {
    auto shots = page_pictures(o, work);
    if (!shots) return shots.error();
    pictures = *std::move(shots);
  }
  auto data = report_data(work.report);
  if (!data) return data.error();
  const Json fit = fitted(*std::move(data), pictures);
  const FinishWriting uninterrupted;
  const std::string page = page_of(fit, pictures);
  if (auto written = write_file(o.output, page); !written) return written;
  spdlog::warn("{}: {:.1f} MB, {} kB of them without its pictures", o.output, double(page.size()) / 1e6,
               page_bytes(fit, pictures) / 1000);
  if (page_bytes(fit, pictures) > kMostPageBytes)
    spdlog::warn("  a network of this many layers takes more than the {} kB that a page is kept to", kMostPageBytes / 1000);
  for (const AbsentPart& absent : work.report.absent)
    spdlog::warn("  without {}: {}\n    {}", absent.part, absent.why, absent.command);
  return {};
}

Status report(const ReportFlags& o) {
  if (auto status = check_options(o); !status) return status;
  // Before anything takes long: can the page be written there?
  if (const auto there = PendingFile::create(o.output); !there) return there.error();
  int count = 0;
  if (!o.threads.empty()) {
    const auto threads = parse_threads("--threads", o.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  const auto file = model_path(o.model, o.scale);
  if (!file) return file.error();
  auto model = load_model(o.model, o.scale);
  if (!model) return model.error();
  Work work;
  work.model = *std::move(model);
  ThreadPool threads(count);
  Report& page = work.report;
  page.model = &work.model;
  page.here = this_machine(threads.size());
  page.date = conditions_now()["date"];
  if (auto status = read_inputs(o, work); !status) return status;
  const std::string name = model_word(o.model, work.model);
  if (auto status = find_measurements(o.files, *file, name, page); !status) return status;
  if (auto status = set_runs(o, work, threads); !status) return status;
  if (work.input)
    if (auto status = make_pictures(o, work, threads); !status) return status;
  note_absent(o, work, name);
  if (auto status = write_page(o, work); !status) return status;

  const ReportRun& run = page.runs[0];
  if (!work.deadline || run.frames.empty() || work.trace) return {};
  const auto late = std::count_if(run.frames.begin(), run.frames.end(), [](const FrameTrace& f) { return f.late; });
  if (size_t(late) * 2 <= run.frames.size()) return {};
  return Error{ErrorCode::deadline, fmt::format("{} of {} runs were late", late, run.frames.size()),
               "the machine is busier than when it was profiled"};
}

}  // namespace

Run add_report(CLI::App& app) {
  auto options = std::make_shared<ReportFlags>();
  ReportFlags& o = *options;
  app.add_option("IN", o.input, "picture to enlarge; without one, the page is about plans alone");
  app.add_option("-o,--output", o.output, "page to write, report.html")->required();
  app.add_option("-s,--scale", o.scale, "how many times as large; default: the network's own")->check(CLI::Range(1, 16));
  add_model_options(app, o.model);
  app.add_option("--numbers", o.numbers, "f32, bf16, int8, int8r16 or auto, as fye up has it")->capture_default_str();
  app.add_option("--plan", o.plan, "plan.json that runs")->type_name("FILE");
  app.add_option("--deadline", o.deadline, "40ms, 0.04s or 40: the truest plan of the book that takes no longer");
  app.add_option("--against", o.against, "a second plan.json: both run in turns and are compared")->type_name("FILE");
  app.add_option("--original", o.files.original, "the picture as it should be, for scores that need it")->type_name("FILE");
  app.add_option("--result", o.result, "the enlarged picture, made before: nothing is run")->type_name("FILE");
  app.add_option("--trace", o.trace, "trace.json of fye run, instead of times measured now")->type_name("FILE");
  const std::string kept = "; the one that was kept, by default";
  app.add_option("--profile", o.files.profile, "profile.json" + kept)->type_name("FILE");
  app.add_option("--losses", o.files.losses, "losses.json; NAME.losses.json beside the model by default")->type_name("FILE");
  app.add_option("--book", o.files.book, "book.json" + kept)->type_name("FILE");
  app.add_option("--crop", o.crop, "the part of IN that the page shows: WxH (the middle) or WxH+X+Y");
  app.add_option("--shave", o.shave, "pixels left out on each side when scoring")->check(CLI::Range(0, 1000))->capture_default_str();
  app.add_option("--rounds", o.rounds, "how often each plan runs, for 10 s at most")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--size", o.size, "of the picture that goes in, where none is given")->capture_default_str();
  app.add_option("--threads,-j", o.threads, "processor cores to use, all by default");
  app.footer(
      R"(Makes one HTML page: before and after, where the time went, every layer, the plan book, scores. It opens from disk
and asks nobody for anything. What fye profile, fye sensitivity and fye plan keep is used where it is there.

Examples:
  fye report small.jpg -o report.html
  fye report small.jpg -o report.html --deadline 40ms --original truth.png
  fye report small.jpg -o report.html --plan plan.json --against other.json
  fye report -m net.onnx -o report.html --trace trace.json --profile profile.json --book book.json)");
  return [options] { return report(*options); };
}

}  // namespace fye
