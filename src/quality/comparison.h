// Scores of one picture against its original by the rows of the table that were asked for, and their means.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "quality/table.h"

namespace fye {

// By the rows' names, without what could not be had.
struct Scores {
  std::map<std::string_view, Score> of_picture;
  std::map<std::string_view, Score> of_original;  // of rows that need nothing: the control beside them
  std::vector<std::pair<std::string_view, Error>> missing;
  std::optional<bool> identical;  // as every score that compares says; none does: unknown
};

// Errors: the sizes differ, or the shave leaves nothing, and a row needs the original; not one row could be
// scored (the last one's error). A row that alone fails, because the pictures are too small for it or its
// network isn't installed, is among `missing`.
Result<Scores> compare_pair(const Picture& original, const Picture& picture, int shave,
                            std::span<const Metric> rows);

// Of finite values; an infinite PSNR (equal pictures) is no part of a mean.
struct Mean {
  double value = 0;
  int n = 0;
};

// By name; names that occur nowhere are left out. `of` is &Scores::of_picture or &Scores::of_original.
std::map<std::string_view, Mean> means(std::span<const Scores> all,
                                       std::map<std::string_view, Score> Scores::*of);

}  // namespace fye
