// Values on the command line: sizes, ratios, byte counts. Every error names the option and shows a right
// value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "graph/tensor.h"

namespace fye {

// "512M", "2G", "1.5G", "100000"; K, M, G are powers of 1024, a trailing B or iB is accepted. At least 1.
Result<int64_t> parse_bytes(const std::string& option, const std::string& text);

struct Size {
  int width = 0, height = 0;
};
// "640x360", both 1..65535.
Result<Size> parse_size(const std::string& option, const std::string& text);

// "WxH" (the middle) or "WxH+X+Y".
struct Crop {
  Size size;
  std::optional<Size> at;  // left, top
};
Result<Crop> parse_crop(const std::string& option, const std::string& text);

// A ratio of whole numbers, kept exact: "1/3", "3"; or a decimal ("0.5"). Above 0, at most 16 either way.
struct Ratio {
  double up = 1, down = 1;
  // `length` times the ratio, rounded up as MATLAB's imresize does; a small allowance keeps 3 * (1 / 3) at 1.
  int of(int length) const;
};
Result<Ratio> parse_ratio(const std::string& option, const std::string& text);

// ncnn's LOAD:PROC:SAVE, "1:4:2"; PROC may be a list for several GPUs, "1:2,2:1", of which fye takes the sum. Or a plain
// count, which is PROC. Each 1..1024.
struct StageThreads {
  int load = 1, work = 1, save = 1;
};
Result<StageThreads> parse_stage_threads(const std::string& option, const std::string& text);

// Of those, PROC.
Result<int> parse_threads(const std::string& option, const std::string& text);

// An edge in pixels; of ncnn's list for several GPUs, "200,200", the first. 0..65535.
Result<int> parse_tile(const std::string& option, const std::string& text);

// Milliseconds: "40ms", "0.04s", "40". Above 0 and finite.
Result<double> parse_deadline(const std::string& option, const std::string& text);

Result<Numbers> parse_numbers(const std::string& option, const std::string& text);

}  // namespace fye
