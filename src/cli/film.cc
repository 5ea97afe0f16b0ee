#include "cli/film.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "cli/interrupt.h"
#include "runtime/film.h"
#include "video/sniff.h"

namespace fye {
namespace {

// More late frames than this, and the film as a whole is late (docs/formats.md, exit codes).
constexpr double kLateShare = 0.01;

Result<FilmEncoding> encoding_of(const FilmOptions& options) {
  FilmEncoding encoding{.encoder = options.encoder,
                        .crf = options.crf,
                        .preset = options.preset,
                        .options = {},
                        .leave_out = options.leave_out,
                        .damaged = options.damaged};
  for (const std::string& option : options.encoder_options) {
    const size_t equals = option.find('=');
    if (equals == 0 || equals == std::string::npos)
      return usage_error(fmt::format("--encoder-option: \"{}\" is not KEY=VALUE", option),
                         "for instance: tune=film");
    encoding.options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  return encoding;
}

Json json_of(const FilmTask& task, const FilmReport& r) {
  Json json = {{"input", task.input.string()},
               {"output", task.output.string()},
               {"kind", "film"},
               {"model", task.model->name},
               {"model_sha256", task.model->graph.sha256},
               {"numbers", r.upscale.planned ? "plan" : std::string(name(r.upscale.numbers))},
               {"in_width", r.in_width},
               {"in_height", r.in_height},
               {"width", r.width},
               {"height", r.height},
               {"bits", r.bits},
               {"encoder", r.encoder},
               {"pixels", r.pixels},
               {"container", r.container},
               {"frames", r.frames},
               {"resumed_frames", r.resumed},
               {"segments", r.segments},
               {"seconds", r.seconds},
               {"frames_per_second", r.frames_per_second},
               {"streams", r.streams},
               {"copied_packets", r.copied_packets},
               {"stages_ms",
                {{"decode", r.decode_ms},
                 {"upscale", r.upscale_ms},
                 {"encode", r.encode_ms},
                 {"mux", r.mux_ms},
                 {"waited_for_decode", r.waited_for_decode_ms},
                 {"waited_for_encode", r.waited_for_encode_ms}}},
               {"p50_ms", r.p50_ms},
               {"p95_ms", r.p95_ms},
               {"p99_ms", r.p99_ms}};
  if (task.deadline)
    json["deadline"] = {{"ms", *task.deadline},
                        {"late", r.late},
                        {"met", r.frames - r.resumed - r.late},
                        {"changes", r.changes}};
  return json;
}

// Putting the film together takes a few per cent of the time.
constexpr double kFramesShare = 0.98;

ProgressStep step_of(const FilmProgress& p, double seconds) {
  const int64_t own = p.frames - p.resumed;
  const double rate = own > 0 && seconds > 0 ? double(own) / seconds : 0;
  ProgressStep step;
  step.fraction = p.writing ? kFramesShare + (1 - kFramesShare) * p.written : kFramesShare * p.fraction;
  step.text = p.writing ? "putting the film together" : fmt::format("frame {}", p.frames);
  if (!p.writing && p.expected > 0) step.text += fmt::format(" of {}", p.expected);
  if (!p.writing && rate > 0) step.text += fmt::format(", {:.1f} frames a second", rate);
  // What an earlier run did says nothing of this one's speed.
  if (const double own_part = p.fraction - p.resumed_fraction; !p.writing && own_part > 0)
    step.left_s = seconds * (1 - p.fraction) / own_part / kFramesShare;
  step.fields = {{"frame", p.frames},
                 {"frames", p.expected},
                 {"resumed", p.resumed},
                 {"frames_per_second", rate},
                 {"writing", p.writing}};
  return step;
}

}  // namespace

bool is_film(const std::filesystem::path& path) { return looks_like_film(path); }
bool is_film_name(const std::filesystem::path& path) { return has_film_extension(path); }

void add_film_options(CLI::App& app, FilmOptions& o) {
  constexpr const char* kGroup = "Films";
  app.add_option("--encoder", o.encoder,
                 "of a film: libx264, libx265, libsvtav1, libvpx-vp9, ffv1 or another of FFmpeg's; auto: "
                 "libx264, libx265 "
                 "above 8 bits, libvpx-vp9 for .webm")
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--crf", o.crf,
                 "its constant quality, lower is better; default: libx264 18, libx265 20, libsvtav1 28, "
                 "libvpx-vp9 24")
      ->check(CLI::Range(0, 63))
      ->group(kGroup);
  app.add_option("--preset", o.preset, "its speed: medium by default for libx264 and libx265")->group(kGroup);
  app.add_option("--encoder-option", o.encoder_options,
                 "KEY=VALUE for the encoder, as FFmpeg names them; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_option("--leave-out", o.leave_out, "streams of the film that are not copied, by index: 2,3")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(kGroup);
  app.add_flag("--damaged", o.damaged, "go on where a film can't be decoded or is cut off")->group(kGroup);
}

Status up_film(const FilmTask& task, Json* summary) {
  const auto encoding = encoding_of(task.options);
  if (!encoding) return encoding.error();
  FilmRequest request{.input = task.input,
                      .output = task.output,
                      .model = task.model,
                      .model_file = task.model_file,
                      .upscale = task.upscale,
                      .encoding = *encoding,
                      .deadline_ms = task.deadline,
                      .book = task.book,
                      .strict = task.strict};
  ThreadPool threads(task.threads);
  const auto report = [&] {
    const StopWhenAsked stop;
    request.stop = request.upscale.stop = [] { return interrupted(); };
    Progress progress(task.input.filename().string(), task.progress);
    std::optional<Stopwatch> since;
    request.say = [&](const std::string& sentence) { progress.say("note: " + sentence); };
    request.progress = [&](const FilmProgress& p) {
      if (!since) since.emplace();
      progress.update(step_of(p, since->ms() / 1e3));
    };
    return upscale_film(request, threads);
  }();
  if (!report) return report.error();
  const Json json = json_of(task, *report);
  if (summary)
    *summary = json;
  else if (task.json)
    fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
  if (!task.json)
    spdlog::warn("{}: {}x{} from {}x{}, {} frames{} in {:.1f} s ({:.1f} a second), {} by {}",
                 task.output.string(), report->width, report->height, report->in_width, report->in_height,
                 report->frames,
                 report->resumed ? fmt::format(", {} of them by an earlier run,", report->resumed) : "",
                 report->seconds, report->frames_per_second, task.model->name, report->encoder);
  const int64_t own = report->frames - report->resumed;
  if (task.deadline && double(report->late) > kLateShare * double(own))
    return Error{ErrorCode::deadline,
                 fmt::format("{}: is written, but {} of {} frames took longer than {:.2f} ms",
                             task.output.string(), report->late, own, *task.deadline),
                 "a longer deadline, fewer other programs, or more threads"};
  return {};
}

}  // namespace fye
