// Ladder: plans of several networks for one scale, machine and picture size, from the fastest to the best
// looking; ladder.json in memory and on disk (docs/formats.md).
//
// Within one network plans are compared by their distance to its float output; between networks only the
// original can judge: the mean PSNR on luma over calibration pictures.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/picture.h"
#include "plan/book.h"
#include "runtime/model.h"

namespace fye {

struct LadderRung {
  std::string model;  // as it was named: a shipped model's name, or a file
  std::string graph_sha256;
  Plan plan;
  double ms = 0, psnr = 0;  // psnr_y, dB
};

struct Ladder {
  MachineId machine;
  int width = 0, height = 0, scale = 0;
  int pictures = 0;               // behind each psnr
  std::vector<LadderRung> rungs;  // ascending ms, ascending psnr
};

// A large picture and the small one made of it (matlab_bicubic, by the networks' scale).
struct ScoredPair {
  Picture small, original;
};

// Shrinks by `scale` what is first cut to a multiple of it. Errors: smaller than 16 x 16 afterwards, 16 bit.
Result<ScoredPair> scored_pair(const Picture& original, int scale);

// Mean psnr_y of what the model makes of the small pictures under `plan`, `scale` pixels shaved.
Result<double> mean_psnr(const Model& model, const Plan& plan, std::span<const ScoredPair> pairs,
                         ThreadPool& threads);

// Rungs that no other beats in time and quality, ascending.
std::vector<LadderRung> climb(std::vector<LadderRung> rungs);

// The best rung that meets the deadline. Errors: code deadline if none does, with the fastest and the gap.
Result<const LadderRung*> rung_for(const Ladder& ladder, double deadline_ms);

// Errors name the file, the field and the value.
Result<Ladder> read_ladder(const std::filesystem::path& path);
Status write_ladder(const std::filesystem::path& path, const Ladder& ladder);

}  // namespace fye
