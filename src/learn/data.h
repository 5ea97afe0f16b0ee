// Training pictures: clean photographs with their low-resolution versions, and random aligned patches of
// them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/picture.h"

namespace fye {

// A small generator whose whole state is one number, so that a checkpoint can carry it (SplitMix64, Steele et
// al. 2014).
struct Random {
  uint64_t state = 1;
  uint64_t next();
  int below(int n) { return int(next() % uint64_t(n)); }
};

// One ground truth picture, its size a multiple of the scale, and the picture that a network is given; both
// 8-bit RGB.
struct PicturePair {
  std::string name;
  Picture high, low;
  Picture enlarged;  // see enlarge_pairs(); else empty
};

// `picture` as 8-bit RGB (grey is repeated, alpha dropped), cropped top left to a multiple of `scale`, and
// its antialiased bicubic reduction. Errors: 16-bit picture, smaller than one cell.
Result<PicturePair> make_pair(std::string name, const Picture& picture, int scale);

// Fills `enlarged` of each: `low` at the size of `high`, by the bicubic that `fye up` puts before a network
// which wants the enlarged picture (fye.pre).
void enlarge_pairs(std::vector<PicturePair>& pairs);

struct TrainingSet {
  std::vector<PicturePair> train, validation;
  std::vector<std::string> refused;  // files left out, with the reason
};

// Every PNG and JPEG of `folder` (sorted by name), and the photographs that the list names (last
// tab-separated column of each line; read halved, since large JPEGs are clean only then). Drawings and plots
// are refused: pictures in which over kFlatShare of the pixels equal their right neighbour. Each 16th picture
// of the folder is held out for validation. Each training picture comes again at 3/4 and 1/2 of its size.
// Errors: no folder, no pictures.
Result<TrainingSet> load_training_set(const std::filesystem::path& folder, const std::filesystem::path& list,
                                      int scale);

inline constexpr double kFlatShare = 0.45;

// Patches on the low-resolution grid: low [N, 3, p, p], cells [N, 3 s^2, p, p] in forward()'s channel order;
// uint8, channels last in memory. enlarged: as cells, of the enlarged pictures; undefined where the pairs have
// none.
struct Batch {
  torch::Tensor low, cells, enlarged;
};

// `count` patches of p x p low-resolution pixels from pictures chosen by area, flipped and transposed at
// random. A patch that is almost flat is drawn again, three times at most: it would teach nothing.
Batch draw_batch(const std::vector<PicturePair>& pictures, int scale, int count, int patch, Random& random);

// [1, 3, H, W] uint8 channels last, of an 8-bit RGB picture; the picture must outlive it.
torch::Tensor tensor_of(const Picture& picture);

}  // namespace fye
