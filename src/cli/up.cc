// fye up IN -o OUT
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <cstdio>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/machine.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/output_name.h"
#include "cli/parse.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/file.h"
#include "runtime/ladder.h"
#include "runtime/upscale.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// Of the deadline, what the book's time may take: that is the network's alone and a median. What is around it
// (5 to 8 %, `fye run --trace`), a second run (10 %) and scatter come on top.
constexpr double kHeadroom = 0.8;
// A first run also pays for new memory and sleeping cores, 1.3 to 2.2 times what the book says (abpn_x3, 160x90 to
// 1280x720). Where that is soon done, the picture that counts is the second.
constexpr double kPracticeMs = 1000;

struct Options {
  std::vector<std::string> files;  // IN [OUT]
  std::string input, output;       // -i, -o
  ModelOptions model;
  int scale = 0, tile = 0, quality = 95, gpu = -1;
  std::string numbers = "auto", threads, memory, plan, format, if_exists = "auto", progress = "auto";
  std::string deadline, book, ladder;
  bool in_place = false, json = false, strict = false;
};

// The same options with everything read and checked.
struct Task {
  fs::path input, output;
  Model model;
  UpscaleOptions upscale;
  int threads = 0;
  std::optional<double> deadline;
  std::filesystem::path model_file;
};

Result<OutputRequest> request_of(const Options& options) {
  OutputRequest request;
  std::vector<std::string> files = options.files;
  if (!options.input.empty()) files.insert(files.begin(), options.input);
  if (files.empty()) return usage_error("no picture was given", "write: fye up small.jpg -o big.png");
  const bool by_option = !options.output.empty();
  if (by_option) files.push_back(options.output);
  if (files.size() > 2) {
    return usage_error(fmt::format("one picture at a time, {} files were given", files.size()),
                       "write: fye up small.jpg -o big.png");
  }
  request.input = files[0];
  if (files.size() == 2) request.output = files[1];
  request.by_option = by_option;
  request.in_place = options.in_place;
  request.format = options.format;
  request.if_exists = options.if_exists == "overwrite" ? IfExists::overwrite
                      : options.if_exists == "error"   ? IfExists::error
                                                       : IfExists::automatic;
  std::error_code ignored;
  if (fs::is_directory(request.input, ignored))
    return bad_input(fmt::format("{}: is a folder", request.input.string()), "give one picture");
  if (!fs::exists(request.input, ignored))
    return bad_input(fmt::format("{}: there is no such file", request.input.string()));
  return request;
}

// The network and plan of the ladder for the deadline; other scales than the ladder's are refused.
Result<LadderRung> best_rung(const Options& options, double deadline) {
  if (!options.model.model.empty() || !options.model.name.empty())
    return usage_error("--ladder chooses the network itself", "leave -m and -n out, or --ladder");
  const auto ladder = read_ladder(options.ladder);
  if (!ladder) return ladder.error();
  if (options.scale && options.scale != ladder->scale)
    return usage_error(fmt::format("{}: its networks enlarge {} times, not {}", options.ladder, ladder->scale,
                                   options.scale));
  const auto rung = rung_for(*ladder, deadline);
  if (!rung) return rung.error();
  return **rung;
}

Result<Task> task_of(const Options& options) {
  Task task;
  if (options.numbers != "auto") {
    const auto numbers = parse_numbers("--numbers", options.numbers);
    if (!numbers) return numbers.error();
    task.upscale.numbers = *numbers;
  }
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    task.threads = *threads;
  }
  if (!options.memory.empty()) {
    const auto bytes = parse_bytes("--mem", options.memory);
    if (!bytes) return bytes.error();
    task.upscale.memory_bytes = *bytes;
  }
  task.upscale.scale = options.scale;
  task.upscale.tile = options.tile;
  if (options.gpu != -1) spdlog::warn("note: -g {} is ignored, fye runs on the CPU", options.gpu);

  if (!options.deadline.empty()) {
    const auto deadline = parse_deadline("--deadline", options.deadline);
    if (!deadline) return deadline.error();
    if (!options.plan.empty() || options.numbers != "auto")
      return usage_error("--deadline chooses the plan itself",
                         "leave --plan and --numbers out, or --deadline");
    task.deadline = *deadline;
  } else if (!options.book.empty() || !options.ladder.empty()) {
    return usage_error("a book or a ladder is for a deadline", "add --deadline 40ms");
  }

  auto request = request_of(options);
  if (!request) return request.error();
  ModelOptions chosen = options.model;
  if (!options.ladder.empty()) {
    const auto rung = best_rung(options, *task.deadline);
    if (!rung) return rung.error();
    chosen = {};
    chosen.model = rung->model;
    task.upscale.plan = rung->plan;
  }
  const auto file = model_path(chosen, options.scale);
  if (!file) return file.error();
  task.model_file = *file;
  auto model = load_model(chosen, options.scale);
  if (!model) return model.error();
  task.model = *std::move(model);
  if (!options.plan.empty()) {
    auto plan = read_plan(options.plan, task.model.graph.sha256);
    if (!plan) return plan.error();
    task.upscale.plan = *std::move(plan);
  }
  request->scale = options.scale ? options.scale : task.model.conventions.scale;
  auto output = output_path(*request);
  if (!output) return output.error();
  task.input = request->input;
  task.output = *std::move(output);
  return task;
}

// The plan for the picture's size and the deadline, with what has to be said about it.
Status plan_for_deadline(const Options& options, Task& task, const Picture& picture, int threads,
                         std::vector<std::string>& notices) {
  if (!task.deadline || task.upscale.plan) return {};
  auto found = book_for(options.book, task.model_file, task.model.name, task.model.graph.sha256,
                        picture.width, picture.height, this_machine(threads), options.strict);
  if (!found) return found.error();
  for (BookEntry& entry : found->book.entries) {
    entry.ms *= found->scale;
    if (entry.measured_ms) *entry.measured_ms *= found->scale;
  }
  notices.insert(notices.end(), found->notices.begin(), found->notices.end());
  const BookEntry* entry = entry_for(found->book, kHeadroom * *task.deadline);
  if (!entry) entry = entry_for(found->book, *task.deadline);
  if (!entry) {
    const double fastest = found->book.entries.front().best_ms();
    return Error{
        ErrorCode::deadline,
        fmt::format("no plan for {}x{} meets {:.2f} ms: the fastest takes {:.2f} ms, {:.2f} more",
                    picture.width, picture.height, *task.deadline, fastest, fastest - *task.deadline),
        fmt::format("--deadline {:.2f}ms can be met", std::ceil(fastest * 100) / 100)};
  }
  task.upscale.plan = plan_of(found->book, *entry);
  return {};
}

void print_json(const Task& task, const Upscaled& result, const Picture& in, int threads, double read_ms,
                double write_ms) {
  const UpscaleReport& report = result.report;
  const Json json = {
      {"input", task.input.string()},
      {"output", task.output.string()},
      {"model", task.model.name},
      {"model_sha256", task.model.graph.sha256},
      {"numbers", report.planned ? "plan" : std::string(name(report.numbers))},
      {"isa", name(active_isa())},
      {"threads", threads},
      {"tile", report.tile},
      {"in_width", in.width},
      {"in_height", in.height},
      {"width", result.picture.width},
      {"height", result.picture.height},
      {"channels", result.picture.channels},
      {"bits", result.picture.bits},
      {"arena_bytes", report.arena_bytes},
      {"read_ms", read_ms},
      {"prepare_ms", report.prepare_ms},
      {"run_ms", report.run_ms},
      {"write_ms", write_ms},
      {"notices", report.notices},
  };
  fmt::print("{}\n", json.dump(2));
}

Status up(const Options& options) {
  auto task = task_of(options);
  if (!task) return task.error();

  const Stopwatch reading;
  const auto picture = read_picture(task->input);
  if (!picture) return picture.error();
  const double read_ms = reading.ms();

  ThreadPool threads(task->threads);
  std::vector<std::string> said;
  if (auto status = plan_for_deadline(options, *task, *picture, threads.size(), said); !status) return status;
  auto result = [&]() -> Result<Upscaled> {
    Progress progress(task->input.filename().string(), options.progress != "none");
    task->upscale.progress = [&](double fraction) { progress.update(fraction); };
    auto upscaler = Upscaler::create(task->model, task->upscale, threads);
    if (!upscaler) return upscaler.error();
    if (task->deadline && *task->deadline <= kPracticeMs)
      if (auto practice = upscaler->run(*picture); !practice) return practice;
    return upscaler->run(*picture);
  }();
  if (!result) return result.error();
  result->report.notices.insert(result->report.notices.begin(), said.begin(), said.end());

  const Stopwatch writing;
  {
    const FinishWriting uninterrupted;
    const auto lost = write_picture(result->picture, task->output, {options.quality});
    if (!lost) return lost.error();
    result->report.notices.insert(result->report.notices.end(), lost->begin(), lost->end());
  }
  const double write_ms = writing.ms();

  const UpscaleReport& report = result->report;
  for (const std::string& notice : report.notices) spdlog::warn("note: {}", notice);
  spdlog::info("prepared in {:.0f} ms, {:.1f} MB planned, {}", report.prepare_ms,
               static_cast<double>(report.arena_bytes) / 1e6,
               report.tile ? fmt::format("tiles of {} pixels", report.tile) : "bands of the whole width");
  const Status in_time = [&]() -> Status {
    if (!task->deadline || report.run_ms <= *task->deadline) return {};
    return Error{ErrorCode::deadline,
                 fmt::format("{}: is written, but took {:.2f} ms, {:.2f} over the deadline",
                             task->output.string(), report.run_ms, report.run_ms - *task->deadline),
                 "the machine is busier than when it was profiled"};
  }();
  if (options.json) print_json(*task, *result, *picture, threads.size(), read_ms, write_ms);
  if (options.json) return in_time;
  spdlog::warn("{}: {}x{} from {}x{}, {} in {} on {}, {:.0f} ms", task->output.string(),
               result->picture.width, result->picture.height, picture->width, picture->height,
               task->model.name, report.planned ? "a plan's numbers" : name(report.numbers),
               name(active_isa()), report.prepare_ms + report.run_ms);
  return in_time;
}

}  // namespace

Run add_up(CLI::App& app) {
  auto options = std::make_shared<Options>();
  Options& o = *options;
  app.add_option("IN OUT", o.files, "picture to enlarge, and where it goes");
  app.add_option("-i,--input", o.input, "the same as IN")->type_name("IN");
  app.add_option(
      "-o,--output", o.output,
      "picture to write (.png .jpg .webp .tif), or an existing folder; default: beside IN, as IN_fye_x3.EXT");
  app.add_option("-s,--scale", o.scale, "how many times as large; default: the network's own, 3 without -m")
      ->check(CLI::Range(1, 16));
  add_model_options(app, o.model);
  app.add_option("--numbers", o.numbers,
                 "f32, bf16, int8, int8r16 or auto: the fastest that loses at most 0.05 dB against f32")
      ->capture_default_str();
  app.add_option("--plan", o.plan, "plan.json: which unit runs in which number format")->type_name("FILE");
  app.add_option("--deadline", o.deadline,
                 "40ms, 0.04s or 40: the truest plan that takes no longer, from the book that fye plan made");
  app.add_option("--book", o.book, "book.json, instead of the one that was kept")->type_name("FILE");
  app.add_option("--ladder", o.ladder, "ladder.json of fye ladder: the network is chosen too")
      ->type_name("FILE");
  app.add_flag("--strict", o.strict, "refuse a book of another machine, build or size");
  app.add_option("--threads,-j", o.threads,
                 "processor cores to use, all by default (ncnn's LOAD:PROC:SAVE is understood)");
  app.add_option("--tile,-t", o.tile,
                 "edge of a tile in input pixels; default 0: bands of the whole width, whose maps in between "
                 "are small")
      ->check(CLI::Range(0, 65535));
  app.add_option("--mem", o.memory,
                 "memory to stay within: 512M, 2G; default: three quarters of what is free");
  app.add_option("--quality", o.quality, "of JPEG and WebP files; WebP is lossless at 100")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("-f,--format", o.format, "format of a name that fye makes")
      ->check(CLI::IsMember({"png", "jpg", "webp", "tif"}));
  app.add_option("--if-exists", o.if_exists,
                 "overwrite, error or auto: a file named with -o is replaced, any other is not")
      ->check(CLI::IsMember({"auto", "overwrite", "error"}))
      ->capture_default_str();
  app.add_flag("--in-place", o.in_place, "replace IN itself");
  app.add_option("--progress", o.progress, "auto (after a second, on stderr) or none")
      ->check(CLI::IsMember({"auto", "none"}))
      ->capture_default_str();
  app.add_option("-g,--gpu", o.gpu,
                 "accepted for ncnn's sake; -1 is the CPU, anything else is ignored with a note");
  app.add_flag("--json", o.json, "print what was done as JSON on stdout");
  app.footer(
      R"(Metadata (ICC, EXIF, XMP), transparency and 16 bit are kept where the output format can; what is lost is said.

Examples:
  fye up small.jpg -o big.png               # three times as large
  fye up small.jpg -o big.jpg -s 2          # twice as large
  fye up scan.tif -o big.tif --numbers f32  # in floating point
  fye up huge.png -o huger.png --mem 1G     # in tiles that fit into 1 GB
  fye up frame.png -o big.png --deadline 40ms # as good as 40 ms allow
  fye up a.png -o b.png -m net.onnx --net-scale 4 --range 0..1 --colour rgb --pre none)");
  return [options] { return up(*options); };
}

}  // namespace fye
