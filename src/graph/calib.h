// Calib: everything int8 and int8r16 need to know about a graph beyond its float weights; calib.json in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace fye {

// The int8 form of one convolution or Gemm: real weight = scale[c] * q. Values are stored, not derived, so that a file from
// elsewhere (QDQ) or from training keeps its exact integers.
struct WeightQuant {
  std::vector<float> scale;    // one per output channel, > 0
  std::vector<int8_t> values;  // in the constant's order
  std::vector<float> bias;     // float, corrected; int8 uses rne(bias / (s_x * s_w[c])) as s32
};

struct Calib {
  std::string graph_sha256;  // the model file this belongs to
  std::string method;        // "honest", "naive", "qat", "qdq"
  std::string pictures;      // digest of the calibration pictures; empty if none
  std::map<std::string, Quant> tensors;        // by tensor name, of the fused graph
  std::map<std::string, WeightQuant> weights;  // by node name
  // By tensor name, where there is a 16-bit form (graph/trunk.h): > 0, one value a trunk. May lack any: see trunk_scales().
  std::map<std::string, float> scale16;
};

}  // namespace fye
