// What the split learner works on: a network with its calibration and processors, and crops of photographs.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "learn/data.h"
#include "processors/processor.h"

namespace fye {

struct SplitNet {
  std::string name;
  Graph graph;  // fused
  Calib calib;
  Quant picture;  // how its real values stand for grey levels
  int scale = 0;
  std::vector<const Processor*> processors;  // in the order of a plan's numbers; the first is float
};

// NAME.onnx and NAME.calib.json beside it. `processors` by name, the first of them cpu.f32, which every
// quality is held against. Errors: as import_onnx, read_calib and find_processor; fewer than two processors;
// a network for other things than RGB pictures, or one that wants them enlarged first.
Result<SplitNet> load_split_net(const std::filesystem::path& path,
                                const std::vector<std::string>& processors);

struct SplitCrops {
  torch::Tensor low;   // [N, 3, p, p] grey levels, uint8
  torch::Tensor high;  // [N, 3, scale p, scale p] grey levels, uint8: what the network should have made
};

// `count` crops of `side` low-resolution pixels from pictures drawn by area, flipped and transposed at
// random (learn/data.h). The same for the same seed. Errors: no picture that large.
Result<SplitCrops> draw_crops(const std::vector<PicturePair>& pictures, int scale, int count, int side,
                              uint64_t seed);

// Grey levels as the network's real input, float32; and its real output as grey levels, clipped to 0..255.
torch::Tensor network_values(const torch::Tensor& grey, const Quant& picture);
torch::Tensor grey_levels(const torch::Tensor& values, const Quant& picture);

}  // namespace fye
