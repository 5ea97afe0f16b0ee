// The table of scores: one row each; the command line, reports and tests go over it.
#pragma once

#include <span>
#include <string_view>

#include "quality/score.h"

namespace fye {

enum class Better { higher, lower };

struct Metric {
  std::string_view name;  // as in JSON and on the command line
  std::string_view unit;  // "dB" or empty
  Better better;
  Result<Score> (*score)(const Picture& a, const Picture& b, int shave);
};

std::span<const Metric> metrics();

// nullptr for a name that isn't in the table.
const Metric* find_metric(std::string_view name);

}  // namespace fye
