// Making the estimator's data: crops of originals, of enlargements under many plans, and of degraded
// pictures.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <vector>

#include "learn/data.h"
#include "learn/estimator_crops.h"
#include "learn/estimator_plans.h"

namespace fye {

struct MakeOptions {
  int side = 192;     // of a crop; a multiple of every network's scale and of 16, PIQE's block
  int crops = 20000;  // about
  int plans = 256;    // random plans of each network, of which each eighth is held out
  uint64_t seed = 1;
  int threads = 2;
};

// The scale whose multiples every network's pictures have: what load_training_set() wants.
int common_scale(const std::vector<PlannedNet>& nets);

// Fills the file at `path` (estimator_crops.h), going on where an earlier call ended. Each place gives the
// original; per network the bicubic enlargement, the float, the all-int8 and three random plans' output; and
// one each with noise (sigma 1..25), blur (0.4..2.5 pixels) and JPEG (quality 10..95), of an original, an
// enlargement or a float output. Validation pictures are held out; they are drawn from four times as often.
// The same for the same options, pictures, networks and kind of machine. `report` is told how many blocks are
// there, of how many. Returns whether the file is complete (false: `stop` was set). Errors: those of
// begin_crops and enlarge; (usage) a side that does not fit; (bad_input) no picture large enough.
Result<bool> make_crops(const TrainingSet& pictures, const std::vector<PlannedNet>& nets,
                        const MakeOptions& options, const std::filesystem::path& path,
                        const std::function<void(int, int)>& report, const std::atomic<bool>& stop);

}  // namespace fye
