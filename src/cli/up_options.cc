#include "cli/up_options.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "runtime/ladder.h"

namespace fye {
namespace {

// Writing waits for the disk (fsync) as much as it computes; ncnn's programs have two as well.
constexpr int kSaveThreads = 2;

// The network and plan of the ladder for the deadline; other scales than the ladder's are refused.
Result<LadderRung> best_rung(const UpOptions& options, double deadline) {
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

IfExists if_exists_from(const std::string& text) {
  return text == "skip"        ? IfExists::skip
         : text == "overwrite" ? IfExists::overwrite
         : text == "rename"    ? IfExists::rename
         : text == "error"     ? IfExists::error
                               : IfExists::automatic;
}

Status read_numbers(const UpOptions& options, UpSettings& settings) {
  if (options.numbers != "auto") {
    const auto numbers = parse_numbers("--numbers", options.numbers);
    if (!numbers) return numbers.error();
    settings.upscale.numbers = *numbers;
  }
  settings.threads = {1, 0, kSaveThreads};
  if (!options.threads.empty()) {
    const auto threads = parse_stage_threads("--threads", options.threads);
    if (!threads) return threads.error();
    settings.threads = *threads;
  }
  if (!options.memory.empty()) {
    const auto bytes = parse_bytes("--mem", options.memory);
    if (!bytes) return bytes.error();
    settings.upscale.memory_bytes = *bytes;
  }
  const auto tile = parse_tile("--tile", options.tile);
  if (!tile) return tile.error();
  settings.upscale.tile = *tile;
  settings.upscale.scale = options.scale;
  if (options.gpu != "-1" && options.gpu != "auto")
    spdlog::warn("note: -g {} is ignored, fye runs on the CPU", options.gpu);
  return {};
}

Status read_deadline(const UpOptions& options, UpSettings& settings) {
  if (options.deadline.empty()) {
    if (!options.book.empty() || !options.ladder.empty())
      return usage_error("a book or a ladder is for a deadline", "add --deadline 40ms");
    return {};
  }
  const auto deadline = parse_deadline("--deadline", options.deadline);
  if (!deadline) return deadline.error();
  if (!options.plan.empty() || options.numbers != "auto")
    return usage_error("--deadline chooses the plan itself", "leave --plan and --numbers out, or --deadline");
  if (options.tta)
    return usage_error("-x runs the network eight times, which no book of plans knows",
                       "leave -x or --deadline out");
  settings.deadline = *deadline;
  return {};
}

}  // namespace

void add_up_options(CLI::App& app, UpOptions& o) {
  app.add_option("IN OUT", o.files,
                 "picture or film to enlarge, and where it goes; or a folder, a pattern in quotes, several files, and "
                 "a folder; - is stdin or stdout");
  app.add_option("-i,--input", o.input, "the same as IN")->type_name("IN");
  app.add_option("-o,--output", o.output,
                 "file to write (.png .jpg .webp .tif, or a film's), or a folder; default: beside IN, as IN_fye_x3.EXT, "
                 "of a folder the folder IN_fye_x3");
  app.add_option("--list", o.list, "inputs from a file, a name a line or ended by 0 bytes; - is stdin")->type_name("FILE");
  app.add_flag("-r,--recursive", o.recursive, "folders with all that is below, as the same tree");
  app.add_option("-s,--scale", o.scale, "how many times as large; default: the network's own, 3 without -m")
      ->check(CLI::Range(1, 16));
  add_model_options(app, o.model);
  app.add_option("--numbers", o.numbers,
                 "f32, bf16, int8, int8r16 or auto: the fastest that loses at most 0.05 dB against f32")
      ->capture_default_str();
  app.add_flag("-x,--tta", o.tta, "the mean of eight flips and rotations: a little better, eight times as long");
  app.add_option("--plan", o.plan, "plan.json: which unit runs in which number format")->type_name("FILE");
  app.add_option("--deadline", o.deadline,
                 "40ms, 0.04s or 40: the truest plan that takes no longer, from the book that fye plan made");
  app.add_option("--book", o.book, "book.json, instead of the one that was kept")->type_name("FILE");
  app.add_option("--ladder", o.ladder, "ladder.json of fye ladder: the network is chosen too")->type_name("FILE");
  app.add_flag("--strict", o.strict, "refuse a book of another machine, build or size");
  app.add_option("--threads,-j", o.threads,
                 "processor cores to use, all by default; or ncnn's LOAD:PROC:SAVE, where files are read and written "
                 "by so many threads beside");
  app.add_option("--tile,-t", o.tile,
                 "edge of a tile in input pixels; 0: bands of the whole width, whose maps in between are small")
      ->capture_default_str();
  app.add_option("--mem", o.memory, "memory to stay within: 512M, 2G; default: three quarters of what is free");
  app.add_option("--quality", o.quality, "of JPEG and WebP files; WebP is lossless at 100")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("-f,--format", o.format, "format of a name that fye makes; default: the input's")
      ->check(CLI::IsMember({"png", "jpg", "webp", "tif"}));
  app.add_option("--suffix", o.suffix, "put behind names that fye makes; default: _fye_x3 beside IN, nothing in a folder of "
                                       "many");
  app.add_option("--metadata", o.metadata, "keep, safe (all but where it was taken) or strip (the colour profile stays)")
      ->check(CLI::IsMember({"keep", "safe", "strip"}))
      ->capture_default_str();
  app.add_option("--if-exists", o.if_exists,
                 "skip, overwrite, rename, error or auto: of many files, what fye made with these settings is skipped "
                 "and what others made is refused; a single file named with -o is replaced, any other is not")
      ->check(CLI::IsMember({"auto", "skip", "overwrite", "rename", "error"}))
      ->capture_default_str();
  app.add_flag("--in-place", o.in_place, "replace IN itself, or the pictures of the folder IN");
  app.add_flag("--dry-run", o.dry_run, "write nothing: say what would be done, and about how long it takes");
  app.add_option("--progress", o.progress, "auto (after a second, on stderr), bar, json (an event a line) or none")
      ->check(CLI::IsMember({"auto", "bar", "json", "none"}))
      ->capture_default_str();
  app.add_option("-g,--gpu", o.gpu, "accepted for ncnn's sake; -1 is the CPU, anything else is ignored with a note");
  app.add_flag("--json", o.json, "print what was done as JSON on stdout");
  add_film_options(app, o.film);
}

Result<UpSettings> settings_of(const UpOptions& options) {
  UpSettings settings;
  if (auto ok = read_numbers(options, settings); !ok) return ok.error();
  if (auto ok = read_deadline(options, settings); !ok) return ok.error();
  ModelOptions chosen = options.model;
  if (!options.ladder.empty()) {
    const auto rung = best_rung(options, *settings.deadline);
    if (!rung) return rung.error();
    chosen = {};
    chosen.model = rung->model;
    settings.upscale.plan = rung->plan;
  }
  const auto file = model_path(chosen, options.scale);
  if (!file) return file.error();
  settings.model_file = *file;
  auto model = load_model(chosen, options.scale);
  if (!model) return model.error();
  settings.model = *std::move(model);
  if (!options.plan.empty()) {
    auto plan = read_plan(options.plan, settings.model.graph.sha256);
    if (!plan) return plan.error();
    settings.upscale.plan = *std::move(plan);
  }
  settings.pictures.write.quality = options.quality;
  settings.pictures.metadata = metadata_rule_from(options.metadata).value_or(MetadataRule::keep);
  settings.pictures.tta = options.tta;
  settings.if_exists = if_exists_from(options.if_exists);
  settings.progress = progress_mode_from(options.progress).value_or(ProgressMode::automatic);
  return settings;
}

}  // namespace fye
