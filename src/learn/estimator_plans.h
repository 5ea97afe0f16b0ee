// Networks run by plans: what random mixed-precision plans make of a picture, for the estimator to learn
// from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "graph/calib.h"
#include "graph/graph.h"
#include "image/picture.h"
#include "plan/plan.h"

namespace fye {

// A network for RGB pictures in 0..255 with its calibration.
struct PlannedNet {
  std::string name;
  Graph graph;
  Calib calib;
  int scale = 0;
};

// NAME.onnx and NAME.calib.json beside it. Errors: as import_onnx and read_calib; other conventions than
// fye.range 0..255, fye.colour rgb, fye.pre none.
Result<PlannedNet> load_planned_net(const std::filesystem::path& path);

// `count` different plans with each unit on cpu.f32, cpu.int8 or (where the machine has it) cpu.bf16 at
// random, none of them on one processor throughout; fewer if there are no more. The same for the same seed
// and machine.
std::vector<Plan> random_plans(const Graph& graph, int count, uint64_t seed);

// What the network makes of an 8-bit RGB picture under a plan, with the kernels and number formats that `fye
// up` uses. Thread-safe; runs on the calling thread.
Result<Picture> enlarge(const PlannedNet& net, const Plan& plan, const Picture& low);

}  // namespace fye
