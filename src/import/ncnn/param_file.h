// The text half of an ncnn model (.param): one line a layer, as data.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/imported.h"

namespace fye {

// "Convolution conv1 1 1 data out 0=64 1=3 -23310=1,0.2": type, name, blobs in and out, numbers by key. A
// key of -23300 - k is the array k: its length, then its values.
struct NcnnLayer {
  std::string type, name;
  std::vector<std::string> in, out;
  std::map<int, std::vector<double>> numbers;
};

// Layers in the order of the file, which is an order of execution. Errors (bad_input) name the line: no
// ncnn text, more layers than `limits.nodes`, counts that the lines don't bear out, a number that is none.
Result<std::vector<NcnnLayer>> parse_ncnn_param(std::string_view text, const ImportLimits& limits);

}  // namespace fye
