// Scores of a network on pictures that it was not trained on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "learn/data.h"
#include "learn/net.h"

namespace fye {

// Luma PSNR in dB of one pair: the network's picture rounded to 8 bits against the ground truth, `scale`
// pixels shaved off each side (spec/metrics.md, sections 1 and 2).
double luma_psnr(const NetSpec& spec, const Arithmetic& arithmetic, const PicturePair& pair);

// The network's picture for a low-resolution one, 8-bit RGB, rounded half to even.
Picture enlarge(const NetSpec& spec, const Arithmetic& arithmetic, const Picture& low);

struct PictureScore {
  std::string name;
  double psnr = 0;
};

// luma_psnr of every PNG and JPEG of a folder, sorted by name. Errors: no folder, no pictures, unreadable
// picture.
Result<std::vector<PictureScore>> score_folder(const NetSpec& spec, const Arithmetic& arithmetic,
                                               const std::filesystem::path& folder);

// Mean over pictures (never pooled error).
double mean_psnr(const std::vector<PictureScore>& scores);

}  // namespace fye
