#include "quality/comparison.h"

#include <algorithm>
#include <cmath>

namespace fye {

Result<Scores> compare_pair(const Picture& original, const Picture& picture, int shave,
                            std::span<const Metric> rows) {
  const auto compares = [](const Metric& row) { return row.needs == Needs::original; };
  if (std::any_of(rows.begin(), rows.end(), compares)) {
    if (auto ok = check_pair(original, picture, shave, 1); !ok) return ok.error();
  }
  Scores scores;
  for (const Metric& row : rows) {
    const auto score = row.score(original, picture, shave);
    if (!score) {
      scores.missing.emplace_back(row.name, score.error());
      continue;
    }
    scores.of_picture[row.name] = *score;
    if (compares(row)) {
      scores.identical = scores.identical.value_or(true) && score->identical;
    } else if (const auto control = row.score(original, original, shave)) {
      scores.of_original[row.name] = *control;
    }
  }
  if (scores.of_picture.empty() && !scores.missing.empty()) {
    const auto& [name, error] = scores.missing.back();
    return Error{error.code, std::string(name) + ": " + error.what, error.hint};
  }
  return scores;
}

std::map<std::string_view, Mean> means(std::span<const Scores> all,
                                       std::map<std::string_view, Score> Scores::*of) {
  std::map<std::string_view, Mean> result;
  for (const Scores& scores : all) {
    for (const auto& [name, score] : scores.*of) {
      if (!std::isfinite(score.value)) continue;
      Mean& mean = result[name];
      mean.value += score.value;
      ++mean.n;
    }
  }
  for (auto& [name, mean] : result) mean.value /= mean.n;
  return result;
}

}  // namespace fye
