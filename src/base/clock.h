// Clock: monotonic milliseconds and medians, for everything that is timed.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace fye {

// Milliseconds since construction.
class Stopwatch {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The middle value (mean of the two middle ones for an even count); 0 for none.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + half, values.end());
  const double upper = values[half];
  if (values.size() % 2) return upper;
  return (upper + *std::max_element(values.begin(), values.begin() + half)) / 2;
}

}  // namespace fye
