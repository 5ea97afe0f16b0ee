// fye-train score: mean luma PSNR on pictures that no training saw.
#include <fmt/format.h>

#include <memory>

#include "learn/commands.h"
#include "learn/qat.h"
#include "learn/run_options.h"
#include "learn/score.h"

namespace fye {
namespace {

struct ScoreCommand {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> folders;
  bool each = false;
  int threads = 2;
};

Status run_score(const ScoreCommand& c) {
  torch::set_num_threads(c.threads);
  const auto loaded = load_checkpoint(c.checkpoint);
  if (!loaded) return loaded.error();
  const auto arithmetic = arithmetic_for(loaded->spec, loaded->average, loaded->grids);
  fmt::print("{} x{} {}, step {}, {:.0f} s of training\n", loaded->spec.net, loaded->spec.scale,
             loaded->grids.empty() ? "float" : "int8", loaded->step, loaded->seconds);
  for (const auto& folder : c.folders) {
    const auto scores = score_folder(loaded->spec, arithmetic, folder);
    if (!scores) return scores.error();
    if (c.each)
      for (const auto& s : *scores) fmt::print("{},{:.4f}\n", s.name, s.psnr);
    fmt::print("{}: luma PSNR {:.4f} dB, mean of {} pictures\n", folder.string(), mean_psnr(*scores),
               scores->size());
  }
  return {};
}

}  // namespace

void add_score_command(CLI::App& program, int& code) {
  auto c = std::make_shared<ScoreCommand>();
  auto* verb = program.add_subcommand("score", "mean luma PSNR on folders of test pictures");
  verb->add_option("--checkpoint", c->checkpoint)->required();
  verb->add_option("folders", c->folders)->required();
  verb->add_flag("--each", c->each, "one line a picture too");
  verb->add_option("--threads", c->threads)->capture_default_str()->check(CLI::Range(1, 256));
  verb->callback([c, &code] {
    const auto done = run_score(*c);
    code = done ? 0 : fail(done.error());
  });
}

}  // namespace fye
