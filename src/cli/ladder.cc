// fye ladder MODELS... --pictures FOLDER
#include "runtime/ladder.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <optional>

#include "base/json.h"
#include "cli/interrupt.h"
#include "cli/measurements.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/picture_inputs.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "image/file.h"

namespace fye {
namespace {

struct LadderFlags {
  std::vector<std::string> models, pictures;
  ModelOptions conventions;
  std::string size = "640x360", threads, output, deadline, crop = "192x192";
  int plans = 4;
  bool json = false;
};

// One network: its model and the plans of its book that are worth scoring.
struct Candidate {
  std::string name;
  std::filesystem::path file;
  Model model;
  FoundBook found;
  std::vector<int> entries;
};

Result<std::vector<Candidate>> candidates_of(const LadderFlags& options, const Size& size,
                                             const MachineId& machine) {
  std::vector<Candidate> all;
  for (const std::string& name : options.models) {
    ModelOptions how = options.conventions;
    how.positional = name;
    const auto file = model_path(how, 0);
    if (!file) return file.error();
    auto model = load_model(how, 0);
    if (!model) return model.error();
    if (!all.empty() && model->conventions.scale != all.front().model.conventions.scale)
      return usage_error(fmt::format("{} enlarges {} times, {} enlarges {} times", all.front().name,
                                     all.front().model.conventions.scale, name, model->conventions.scale),
                         "a ladder's networks have one scale");
    all.push_back({name, *file, *std::move(model), {}, {}});
  }
  for (Candidate& candidate : all) {
    auto found = book_for("", candidate.file, candidate.name, candidate.model.graph.sha256, size.width,
                          size.height, machine, false);
    if (!found) return found.error();
    for (const std::string& notice : found->notices) spdlog::warn("note: {}: {}", candidate.name, notice);
    candidate.found = *std::move(found);
    candidate.entries = spread_entries(candidate.found.book, options.plans);
  }
  return all;
}

Result<std::vector<ScoredPair>> pairs_of(const LadderFlags& options, int scale) {
  const auto crop = parse_crop("--crop", options.crop);
  if (!crop) return crop.error();
  const auto files = picture_files(options.pictures);
  if (!files) return files.error();
  std::vector<ScoredPair> pairs;
  for (const auto& file : *files) {
    auto picture = read_cropped(file, *crop);
    if (!picture) return picture.error();
    auto pair = scored_pair(*picture, scale);
    if (!pair) return Error{pair.error().code, file.string() + ": " + pair.error().what, pair.error().hint};
    pairs.push_back(*std::move(pair));
  }
  return pairs;
}

Result<Ladder> measure(const LadderFlags& options, std::vector<Candidate>& candidates, const Size& size,
                       const MachineId& machine, ThreadPool& threads) {
  Ladder ladder{.machine = machine,
                .width = size.width,
                .height = size.height,
                .scale = candidates.front().model.conventions.scale};
  const auto pairs = pairs_of(options, ladder.scale);
  if (!pairs) return pairs.error();
  ladder.pictures = int(pairs->size());
  size_t total = 0, done = 0;
  for (const Candidate& candidate : candidates) total += candidate.entries.size();
  Progress progress("scoring plans");
  for (const Candidate& candidate : candidates)
    for (const int e : candidate.entries) {
      const BookEntry& entry = candidate.found.book.entries[size_t(e)];
      LadderRung rung{.model = candidate.name,
                      .graph_sha256 = candidate.model.graph.sha256,
                      .plan = plan_of(candidate.found.book, entry),
                      .ms = entry.best_ms() * candidate.found.scale};
      const auto psnr = mean_psnr(candidate.model, rung.plan, *pairs, threads);
      if (!psnr) return psnr.error();
      rung.psnr = *psnr;
      ladder.rungs.push_back(std::move(rung));
      progress.update(double(++done) / double(total));
    }
  return ladder;
}

Status run(const LadderFlags& options) {
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  std::optional<double> deadline;
  if (!options.deadline.empty()) {
    const auto ms = parse_deadline("--deadline", options.deadline);
    if (!ms) return ms.error();
    deadline = *ms;
  }
  int count = 0;
  if (!options.threads.empty()) {
    const auto threads = parse_threads("--threads", options.threads);
    if (!threads) return threads.error();
    count = *threads;
  }
  if (options.models.empty())
    return usage_error("no network was given", "fye ladder abpn_x2 edsr_baseline_x2 --pictures DIR");
  ThreadPool threads(count);
  const MachineId machine = this_machine(threads.size());
  auto candidates = candidates_of(options, *size, machine);
  if (!candidates) return candidates.error();
  auto ladder = measure(options, *candidates, *size, machine, threads);
  if (!ladder) return ladder.error();
  const std::vector<LadderRung> all = ladder->rungs;
  ladder->rungs = climb(all);
  std::optional<LadderRung> chosen;
  if (deadline) {
    const auto rung = rung_for(*ladder, *deadline);
    if (!rung) return rung.error();
    chosen = **rung;
  }
  if (!options.output.empty()) {
    const FinishWriting uninterrupted;
    if (const Status written = write_ladder(options.output, *ladder); !written) return written;
  }
  const auto on_ladder = [&](const LadderRung& rung) {
    for (const LadderRung& kept : ladder->rungs)
      if (kept.model == rung.model && kept.ms == rung.ms) return true;
    return false;
  };
  if (options.json) {
    Json json = {{"pictures", ladder->pictures}, {"scale", ladder->scale}, {"plans", Json::array()}};
    for (const LadderRung& rung : all)
      json["plans"].push_back(
          {{"model", rung.model}, {"ms", rung.ms}, {"psnr_y", rung.psnr}, {"rung", on_ladder(rung)}});
    if (chosen) json["chosen"] = {{"model", chosen->model}, {"ms", chosen->ms}, {"psnr_y", chosen->psnr}};
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print("{}x{} enlarged {} times, {} threads; psnr_y over {} pictures\n", size->width, size->height,
             ladder->scale, threads.size(), ladder->pictures);
  for (const LadderRung& rung : all)
    fmt::print("{} {:>10.2f} ms  {:.3f} dB  {}\n", on_ladder(rung) ? "*" : " ", rung.ms, rung.psnr,
               rung.model);
  if (chosen)
    fmt::print("for {:.2f} ms: {} at {:.2f} ms, {:.3f} dB\n", *deadline, chosen->model, chosen->ms,
               chosen->psnr);
  return {};
}

}  // namespace

Run add_ladder(CLI::App& app) {
  auto options = std::make_shared<LadderFlags>();
  LadderFlags& o = *options;
  app.add_option("MODELS", o.models,
                 "networks of one scale: shipped names or files; each needs a book (fye plan)");
  app.add_option("--pictures", o.pictures, "8 to 20 large pictures, or folders, that quality is measured on")
      ->required();
  app.add_option("--size", o.size, "of the picture that goes in")->capture_default_str();
  app.add_option("--plans", o.plans, "how many plans of each book are scored")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--crop", o.crop,
                 "the part of each large picture that is scored: WxH (the middle) or WxH+X+Y")
      ->capture_default_str();
  app.add_option("--deadline", o.deadline, "also say which network and plan it chooses: 40ms, 0.04s or 40");
  app.add_option("--threads,-j", o.threads, "processor cores of the books, all by default");
  app.add_option("-o,--output", o.output, "ladder.json to write, for fye up --ladder");
  app.add_flag("--json", o.json, "print JSON");
  app.footer(
      R"(Puts plans of several networks on one scale: pictures are shrunk, enlarged by each, and compared with themselves.
A small network in f32 and a large one in int8 then stand where their time and quality put them.

Examples:
  fye ladder abpn_x2 edsr_baseline_x2 --pictures photos/ --size 320x180 -o ladder.json
  fye up small.jpg -o big.png --ladder ladder.json --deadline 40ms)");
  return [options] { return run(*options); };
}

}  // namespace fye
