#include "cli/up_one.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/output_name.h"
#include "cli/up_network.h"
#include "cli/up_pipes.h"
#include "cli/up_summary.h"
#include "cli/up_survey.h"
#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// The input, brought in from stdin if it comes there; and where the output is written.
struct Ends {
  fs::path input, output;
  std::string input_name, output_name;  // for people
  bool film = false;
  std::optional<PassingFile> incoming, outgoing;
};

Result<Ends> input_end(const fs::path& given) {
  Ends ends;
  ends.input = given;
  ends.input_name = given.string();
  if (given == "-") {
    auto incoming = PassingFile::create("");
    if (!incoming) return incoming.error();
    ends.incoming.emplace(*std::move(incoming));
    if (auto ok = ends.incoming->fill_from_stdin(); !ok) return ok.error();
    ends.input = ends.incoming->path();
    ends.input_name = "stdin";
  } else {
    std::error_code ignored;
    if (!fs::exists(given, ignored)) return bad_input(fmt::format("{}: there is no such file", given.string()));
  }
  ends.film = is_film(ends.input);
  return ends;
}

// Of a picture on stdout: -f, else the input's own format.
Result<std::string> extension_for_stdout(const UpOptions& options, const Ends& ends) {
  if (options.json)
    return usage_error("--json prints on stdout, where the picture goes", "give -o a file name, or leave --json out");
  if (ends.film) return usage_error("a film can't go to stdout: it is put together at the end", "give -o a file name");
  if (isatty(STDOUT_FILENO)) return usage_error("stdout is a terminal", "give -o a file name, or pipe it on");
  if (!options.format.empty()) return "." + options.format;
  const auto info = probe_picture(ends.input);
  if (!info) return Error{info.error().code, info.error().what, info.error().hint};
  return info->format == "jpeg" ? ".jpg" : info->format == "tiff" ? ".tif" : "." + info->format;
}

// False: the output is there, and is to be skipped.
Result<bool> output_end(const UpOptions& options, const UpSettings& settings, const OneRequest& request, Ends& ends) {
  if (request.output == "-" || (request.output.empty() && request.input == "-" && !options.in_place)) {
    const auto extension = extension_for_stdout(options, ends);
    if (!extension) return extension.error();
    auto outgoing = PassingFile::create(*extension);
    if (!outgoing) return outgoing.error();
    ends.outgoing.emplace(*std::move(outgoing));
    ends.output = ends.outgoing->path();
    ends.output_name = "stdout";
    return true;
  }
  if (request.input == "-" && options.in_place) return usage_error("--in-place: stdin can't be replaced");
  OutputRequest wanted;
  wanted.input = ends.input;
  wanted.output = request.output;
  wanted.by_option = request.by_option;
  wanted.in_place = options.in_place;
  wanted.format = options.format;
  wanted.suffix = options.suffix.empty() ? fmt::format("_fye_x{}", settings.scale()) : options.suffix;
  wanted.film = ends.film;
  wanted.if_exists = settings.if_exists;
  auto output = output_path(wanted);
  if (!output) return output.error();
  ends.output = *std::move(output);
  ends.output_name = ends.output.string();
  return !ends.output.empty();
}

void print_json(const UpSettings& settings, const Ends& ends, const FileReport& report, int threads) {
  const Json json = {
      {"input", ends.input_name},
      {"output", ends.output_name},
      {"model", settings.model.name},
      {"model_sha256", settings.model.graph.sha256},
      {"numbers", report.upscale.planned ? "plan" : std::string(name(report.upscale.numbers))},
      {"isa", name(active_isa())},
      {"threads", threads},
      {"tile", report.upscale.tile},
      {"streamed", report.streamed},
      {"in_width", report.in_width},
      {"in_height", report.in_height},
      {"width", report.width},
      {"height", report.height},
      {"channels", report.channels},
      {"bits", report.bits},
      {"arena_bytes", report.upscale.arena_bytes},
      {"read_ms", report.read_ms},
      {"prepare_ms", report.upscale.prepare_ms},
      {"run_ms", report.upscale.run_ms},
      {"write_ms", report.write_ms},
      {"notices", report.upscale.notices},
  };
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

Status run_stages(Work& work) {
  for (const auto stage : {&Work::load, &Work::work, &Work::save})
    if (auto ok = (work.*stage)(); !ok) return ok;
  return {};
}

Status up_picture(const UpOptions& options, const UpSettings& settings, const Ends& ends) {
  ThreadPool threads(settings.threads.work);
  FileReport report;
  const Status done = [&]() -> Status {
    Progress progress(fs::path(ends.input_name).filename().string(), settings.progress);
    Upscalers upscalers(options, settings, threads, [&](double fraction) { progress.update(fraction); });
    const UpscalerFor upscaler_for = [&](int width, int height) { return upscalers.for_size(width, height); };
    // A deadline is for a picture in memory; else one of any size may come.
    const auto make = settings.deadline ? picture_work : large_picture_work;
    const auto work = make(ends.input, ends.output, settings.pictures, upscaler_for, report);
    if (auto ok = run_stages(*work); !ok) return ok;
    auto& notices = report.upscale.notices;
    notices.insert(notices.begin(), upscalers.notices().begin(), upscalers.notices().end());
    return {};
  }();
  if (!done) return done;
  if (ends.outgoing)
    if (auto ok = ends.outgoing->copy_to_stdout(); !ok) return ok;

  const UpscaleReport& upscale = report.upscale;
  for (const std::string& notice : upscale.notices) spdlog::warn("note: {}", notice);
  spdlog::info("prepared in {:.0f} ms, {:.1f} MB planned, {}", upscale.prepare_ms,
               static_cast<double>(upscale.arena_bytes) / 1e6,
               report.streamed ? "row by row"
               : upscale.tile  ? fmt::format("tiles of {} pixels", upscale.tile)
                               : "bands of the whole width");
  const Status in_time = [&]() -> Status {
    if (!settings.deadline || upscale.run_ms <= *settings.deadline) return {};
    return Error{ErrorCode::deadline,
                 fmt::format("{}: is written, but took {:.2f} ms, {:.2f} over the deadline", ends.output_name,
                             upscale.run_ms, upscale.run_ms - *settings.deadline),
                 "the machine is busier than when it was profiled"};
  }();
  if (options.json) {
    print_json(settings, ends, report, threads.size());
    return in_time;
  }
  spdlog::warn("{}: {}x{} from {}x{}, {} in {} on {}, {:.0f} ms", ends.output_name, report.width, report.height,
               report.in_width, report.in_height, settings.model.name,
               upscale.planned ? "a plan's numbers" : name(upscale.numbers), name(active_isa()),
               upscale.prepare_ms + upscale.run_ms);
  return in_time;
}

Status film(const UpOptions& options, const UpSettings& settings, const Ends& ends) {
  if (options.tta) return usage_error("-x is for pictures", "leave it out");
  FilmTask task;
  task.input = ends.input;
  task.output = ends.output;
  task.model = &settings.model;
  task.model_file = settings.model_file;
  task.upscale = settings.upscale;
  task.threads = settings.threads.work;
  task.deadline = settings.deadline;
  task.book = options.book;
  task.strict = options.strict;
  task.json = options.json;
  task.progress = settings.progress;
  task.options = options.film;
  return up_film(task);
}

Status dry_run(const UpOptions& options, const UpSettings& settings, const Ends& ends) {
  UpJobs jobs;
  jobs.folder = ends.output.has_parent_path() ? ends.output.parent_path() : fs::path(".");
  jobs.jobs.push_back({ends.input, ends.output, {}, ends.film});
  const std::vector<Outcome> outcomes(1);
  const auto cast = forecast(jobs.jobs, survey_of(jobs.jobs, outcomes, settings), options, settings);
  if (!cast) return cast.error();
  print_forecast(options, jobs, outcomes, *cast);
  return {};
}

}  // namespace

Status up_one(const UpOptions& options, const OneRequest& request) {
  const auto settings = settings_of(options);
  if (!settings) return settings.error();
  auto ends = input_end(request.input);
  if (!ends) return ends.error();
  const StopWhenAsked stop;
  const auto wanted = output_end(options, *settings, request, *ends);
  if (!wanted) return wanted.error();
  if (!*wanted) {
    spdlog::warn("{}: skipped, its output is there already", ends->input_name);
    if (options.json)
      fmt::print("{}\n", Json{{"input", ends->input_name}, {"status", "skipped"}}.dump(
                             2, ' ', false, Json::error_handler_t::replace));
    return {};
  }
  if (options.dry_run) return dry_run(options, *settings, *ends);
  return ends->film ? film(options, *settings, *ends) : up_picture(options, *settings, *ends);
}

}  // namespace fye
