// Tested by report/scores_test.cc.
#include "report/scores.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "quality/comparison.h"

namespace fye {
namespace {

constexpr double kNoise = 3;  // grey levels of 255

Result<Scores> scores_of(const NamedPicture& reference, const NamedPicture& picture, int shave,
                         std::span<const Metric> rows) {
  const Picture& against = reference.picture ? *reference.picture : *picture.picture;
  auto scores = compare_pair(against, *picture.picture, shave, rows);
  if (!scores) {
    Error error = scores.error();
    error.what = picture.name + ": " + error.what;
    return error;
  }
  return scores;
}

}  // namespace

Result<ScoreTable> score_table(std::string title, const NamedPicture& reference, std::span<const NamedPicture> pictures,
                               int shave, bool alone) {
  std::vector<Metric> rows;
  for (const Metric& metric : metrics())
    if (metric.needs == Needs::original ? reference.picture != nullptr : alone) rows.push_back(metric);
  ScoreTable table{.title = std::move(title), .reference = reference.name, .shave = shave, .columns = {},
                   .rows = {}, .missing = {}};
  for (const Metric& metric : rows)
    table.rows.push_back({.name = std::string(metric.name),
                          .unit = std::string(metric.unit),
                          .higher_is_better = metric.better == Better::higher,
                          .against_reference = metric.needs == Needs::original,
                          .values = {},
                          .identical = {}});
  const auto missing = [&](const std::string& name, const std::string& why) {
    const std::pair<std::string, std::string> line(name, why);
    if (std::find(table.missing.begin(), table.missing.end(), line) == table.missing.end())
      table.missing.push_back(line);
  };
  std::vector<Scores> all;
  for (const NamedPicture& picture : pictures) {
    auto scores = scores_of(reference, picture, shave, rows);
    if (!scores) return scores.error();
    table.columns.push_back(picture.name);
    for (const auto& [name, error] : scores->missing) missing(std::string(name), error.text());
    for (ScoreTable::Row& row : table.rows) {
      const auto found = scores->of_picture.find(row.name);
      const bool there = found != scores->of_picture.end();
      const bool finite = there && std::isfinite(found->second.value);
      row.values.push_back(finite ? std::optional(found->second.value) : std::nullopt);
      row.identical.push_back(there && found->second.identical);
    }
    all.push_back(*std::move(scores));
  }
  if (reference.picture && alone && !all.empty()) {
    table.columns.push_back(reference.name);
    for (ScoreTable::Row& row : table.rows) {
      const auto found = all.front().of_original.find(row.name);
      const bool there = found != all.front().of_original.end();
      row.values.push_back(there ? std::optional(found->second.value) : std::nullopt);
      row.identical.push_back(false);
    }
  }
  return table;
}

Json json_of(const ScoreTable& table) {
  Json rows = Json::array();
  for (const ScoreTable::Row& row : table.rows) {
    Json values = Json::array();
    for (size_t i = 0; i < row.values.size(); ++i) {
      if (row.values[i])
        values.push_back(*row.values[i]);
      else
        values.push_back(row.identical[i] ? Json("equal") : Json());
    }
    rows.push_back({{"name", row.name},
                    {"unit", row.unit},
                    {"higher", row.higher_is_better},
                    {"against", row.against_reference},
                    {"values", std::move(values)}});
  }
  Json missing = Json::array();
  for (const auto& [name, why] : table.missing) missing.push_back({{"name", name}, {"why", why}});
  return {{"title", table.title},     {"reference", table.reference}, {"shave", table.shave},
          {"columns", table.columns}, {"rows", std::move(rows)},      {"missing", std::move(missing)}};
}

Picture with_noise(const Picture& picture) {
  Picture noisy = picture;
  std::mt19937 random(1);
  const double top = picture.bits == 8 ? 255 : 65535;
  std::normal_distribution<double> noise(0, kNoise * top / 255);
  const int colours = picture.has_alpha() ? picture.channels - 1 : picture.channels;
  for (size_t i = 0; i < picture.samples(); ++i) {
    if (int(i % size_t(picture.channels)) >= colours) continue;
    const double value = picture.bits == 8 ? picture.u8()[i] : picture.u16()[i];
    const double moved = std::clamp(std::nearbyint(value + noise(random)), 0., top);
    if (picture.bits == 8)
      noisy.u8()[i] = uint8_t(moved);
    else
      noisy.u16()[i] = uint16_t(moved);
  }
  return noisy;
}

}  // namespace fye
