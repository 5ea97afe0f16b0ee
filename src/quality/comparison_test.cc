#include "quality/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::filled;
using testing::noise;

Result<Score> fake_distance(const Picture& a, const Picture& b, int) {
  return Score{std::abs(a.bytes[0] - b.bytes[0]) / 1.0, a.bytes == b.bytes};
}
Result<Score> fake_alone(const Picture&, const Picture& b, int) { return Score{b.bytes[0] / 1.0, false}; }
Result<Score> fake_absent(const Picture&, const Picture&, int) {
  return not_installed("fye models install fake");
}
Result<Score> fake_small(const Picture&, const Picture&, int) { return bad_input("too small"); }

constexpr Metric kDistance{"distance", "", Better::lower, Needs::original, true, fake_distance};
constexpr Metric kAlone{"alone", "", Better::lower, Needs::nothing, true, fake_alone};
constexpr Metric kAbsent{"absent", "", Better::lower, Needs::original, false, fake_absent};
constexpr Metric kSmall{"small", "", Better::lower, Needs::original, false, fake_small};

TEST(ComparePair, EachRowAndTheControl) {
  const Metric rows[] = {kDistance, kAlone};
  const auto scores = compare_pair(filled(4, 4, 3, 9), filled(4, 4, 3, 12), 0, rows);
  ASSERT_TRUE(scores) << scores.error().what;
  EXPECT_EQ(scores->of_picture.at("distance").value, 3);
  EXPECT_EQ(scores->of_picture.at("alone").value, 12);
  EXPECT_EQ(scores->of_original.size(), 1u);
  EXPECT_EQ(scores->of_original.at("alone").value, 9);
  EXPECT_EQ(scores->identical, false);
  EXPECT_TRUE(scores->missing.empty());
}

TEST(ComparePair, WhatIsNotInstalledStopsNothingElse) {
  const Metric rows[] = {kAbsent, kDistance, kSmall, kAlone};
  const auto scores = compare_pair(filled(4, 4, 3, 9), filled(4, 4, 3, 9), 0, rows);
  ASSERT_TRUE(scores) << scores.error().what;
  EXPECT_EQ(scores->of_picture.size(), 2u);
  EXPECT_EQ(scores->identical, true);
  ASSERT_EQ(scores->missing.size(), 2u);
  EXPECT_EQ(scores->missing[0].first, "absent");
  EXPECT_TRUE(is_not_installed(scores->missing[0].second));
  EXPECT_FALSE(is_not_installed(scores->missing[1].second));
}

TEST(ComparePair, NothingButMissingRowsIsAnError) {
  const Metric rows[] = {kAbsent};
  const auto scores = compare_pair(filled(4, 4, 3, 9), filled(4, 4, 3, 9), 0, rows);
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::bad_input);
  EXPECT_EQ(scores.error().what, "absent: not installed: run fye models install fake");
}

TEST(ComparePair, SizesMatterOnlyWhereThereIsAnOriginal) {
  const Metric both[] = {kAlone, kDistance}, alone[] = {kAlone};
  const auto refused = compare_pair(filled(4, 4, 3, 9), filled(5, 4, 3, 9), 0, both);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("5x4"), std::string::npos);
  EXPECT_FALSE(compare_pair(filled(4, 4, 3, 9), filled(4, 4, 3, 9), 2, both));
  const auto scored = compare_pair(filled(4, 4, 3, 9), filled(5, 4, 3, 9), 0, alone);
  ASSERT_TRUE(scored);
  EXPECT_FALSE(scored->identical.has_value());
}

TEST(ComparePair, TheWholeTable) {
  const Picture a = noise(170, 165, 3, 1);
  const auto scores = compare_pair(a, testing::disturbed(a, 4, 2), 1, metrics());
  ASSERT_TRUE(scores) << scores.error().what;
  for (const auto& [name, error] : scores->missing) EXPECT_TRUE(is_not_installed(error)) << name;
  EXPECT_EQ(scores->of_picture.size() + scores->missing.size(), metrics().size());
}

TEST(Means, OfWhatIsFinite) {
  std::vector<Scores> all(3);
  all[0].of_picture["a"] = {1, false};
  all[1].of_picture["a"] = {4, false};
  all[2].of_picture["a"] = {std::numeric_limits<double>::infinity(), true};
  all[2].of_picture["b"] = {std::numeric_limits<double>::infinity(), true};
  all[0].of_original["a"] = {7, false};
  const auto found = means(all, &Scores::of_picture);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.at("a").value, 2.5);
  EXPECT_EQ(found.at("a").n, 2);
  EXPECT_EQ(means(all, &Scores::of_original).at("a").value, 7);
  EXPECT_TRUE(means({}, &Scores::of_picture).empty());
}

}  // namespace
}  // namespace fye
