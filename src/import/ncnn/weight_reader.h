// The binary half of an ncnn model (.bin): weights one after the other, in the order of the layers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fye {

// Reads from the front; what it returns is finite. Errors (bad_input) say what is wrong, without the layer.
class NcnnWeights {
 public:
  explicit NcnnWeights(std::string_view bytes) : rest_(bytes) {}

  // `count` values behind a tag that says how they are stored: f32 or f16 (padded to 4 bytes). ncnn's 8-bit
  // and table forms are refused.
  Result<std::vector<float>> tagged(int64_t count);

  // `count` values of f32 without a tag: biases, slopes, statistics.
  Result<std::vector<float>> plain(int64_t count);

  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

}  // namespace fye
