// The table of scores: one row each; the command line, reports and tests go over it.
#pragma once

#include <span>
#include <string_view>

#include "quality/score.h"

namespace fye {

enum class Better { higher, lower };
enum class Needs { original, nothing };  // nothing: the score looks at b alone, a may be any picture

struct Metric {
  std::string_view name;  // as in JSON and on the command line
  std::string_view unit;  // "dB" or empty
  Better better;
  Needs needs;
  bool quick;  // part of every comparison; the others are asked for by name or all at once
  Result<Score> (*score)(const Picture& a, const Picture& b, int shave);
};

std::span<const Metric> metrics();

// nullptr for a name that isn't in the table.
const Metric* find_metric(std::string_view name);

}  // namespace fye
