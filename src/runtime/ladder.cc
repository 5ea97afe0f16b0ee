#include "runtime/ladder.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/resize.h"
#include "quality/psnr.h"
#include "runtime/upscale.h"

namespace fye {

Result<ScoredPair> scored_pair(const Picture& original, int scale) {
  constexpr int kLeast = 16;
  const int width = original.width / scale, height = original.height / scale;
  if (original.bits != 8 || width < kLeast || height < kLeast)
    return bad_input(
        fmt::format("{}x{} of {} bit: pictures that quality is measured on are of 8 bit and at least "
                    "{} pixels wide and high after shrinking by {}",
                    original.width, original.height, original.bits, kLeast, scale));
  Picture cut(width * scale, height * scale, original.channels);
  const size_t row = size_t(cut.width) * size_t(cut.channels);
  for (int y = 0; y < cut.height; ++y)
    std::copy_n(original.u8() + size_t(y) * size_t(original.width) * size_t(original.channels), row,
                cut.u8() + size_t(y) * row);
  Picture small = matlab_bicubic(cut, width, height);
  return ScoredPair{std::move(small), std::move(cut)};
}

Result<double> mean_psnr(const Model& model, const Plan& plan, std::span<const ScoredPair> pairs,
                         ThreadPool& threads) {
  if (pairs.empty()) return bad_input("there are no pictures to measure quality on", "give 8 to 20 of them");
  UpscaleOptions options;
  options.plan = plan;
  auto upscaler = Upscaler::create(model, options, threads);
  if (!upscaler) return upscaler.error();
  double sum = 0;
  for (const ScoredPair& pair : pairs) {
    const auto big = upscaler->run(pair.small);
    if (!big) return big.error();
    const auto score = psnr_y(pair.original, big->picture, model.conventions.scale);
    if (!score) return score.error();
    // Equal pictures have no PSNR; nothing the networks do is nearer than this.
    constexpr double kMost = 99;
    sum += std::min(kMost, score->value);
  }
  return sum / double(pairs.size());
}

std::vector<LadderRung> climb(std::vector<LadderRung> rungs) {
  std::sort(rungs.begin(), rungs.end(), [](const LadderRung& a, const LadderRung& b) {
    return a.ms != b.ms ? a.ms < b.ms : a.psnr > b.psnr;
  });
  std::vector<LadderRung> kept;
  for (LadderRung& rung : rungs)
    if (kept.empty() || rung.psnr > kept.back().psnr) kept.push_back(std::move(rung));
  return kept;
}

Result<const LadderRung*> rung_for(const Ladder& ladder, double deadline_ms) {
  if (!(deadline_ms > 0))
    return usage_error(fmt::format("{} ms is no deadline", deadline_ms), "give a time above 0");
  const LadderRung* best = nullptr;
  for (const LadderRung& rung : ladder.rungs)
    if (rung.ms <= deadline_ms) best = &rung;
  if (best) return best;
  const LadderRung& fastest = ladder.rungs.front();
  return Error{
      ErrorCode::deadline,
      fmt::format("no network of the ladder meets {:.2f} ms: the fastest, {}, takes {:.2f} ms, {:.2f} more",
                  deadline_ms, fastest.model, fastest.ms, fastest.ms - deadline_ms),
      fmt::format("--deadline {:.2f}ms can be met", fastest.ms)};
}

}  // namespace fye
