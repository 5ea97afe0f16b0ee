#include "report/scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quality/table.h"

namespace fye {
namespace {

Picture waves(int width, int height, double phase, int bits = 8) {
  Picture picture(width, height, 3, bits);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const double value = 0.5 + 0.4 * std::sin(x / (3. + c) + y / 5. + phase);
        const size_t i = size_t((y * width + x) * 3 + c);
        if (bits == 8)
          picture.u8()[i] = uint8_t(value * 255);
        else
          picture.u16()[i] = uint16_t(value * 65535);
      }
  return picture;
}

const ScoreTable::Row* row(const ScoreTable& table, const std::string& name) {
  for (const ScoreTable::Row& r : table.rows)
    if (r.name == name) return &r;
  return nullptr;
}

TEST(ScoreTable, HasEveryScoreThatCanBeHad) {
  const Picture original = waves(200, 180, 0), picture = waves(200, 180, 0.2);
  const std::vector<NamedPicture> pictures = {{"result", &picture}};
  const auto table = score_table("t", {"original", &original}, pictures, 0);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"result", "original"}));
  EXPECT_EQ(table->rows.size(), metrics().size());
  for (const Metric& metric : metrics()) {
    const ScoreTable::Row* found = row(*table, std::string(metric.name));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->values.size(), 2u);
    const auto score = metric.score(original, picture, 0);
    EXPECT_EQ(found->values[0].has_value(), score.ok()) << metric.name;
    if (score) {
      EXPECT_EQ(*found->values[0], score->value) << metric.name;
    }
    // The original is scored where no second picture is needed, and nowhere else.
    if (metric.needs == Needs::original) {
      EXPECT_FALSE(found->values[1]) << metric.name;
    } else {
      EXPECT_TRUE(found->values[1]) << metric.name;
    }
    if (!score) {
      EXPECT_FALSE(table->missing.empty());
    }
  }
}

TEST(ScoreTable, WithoutAnOriginalOnlyWhatNeedsNone) {
  const Picture picture = waves(100, 90, 0);
  const std::vector<NamedPicture> pictures = {{"a", &picture}, {"b", &picture}};
  const auto table = score_table("t", {}, pictures, 0);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->columns, (std::vector<std::string>{"a", "b"}));
  ASSERT_FALSE(table->rows.empty());
  for (const ScoreTable::Row& r : table->rows) {
    EXPECT_FALSE(r.against_reference) << r.name;
    EXPECT_EQ(r.values[0], r.values[1]);
    EXPECT_FALSE(r.identical[0]) << r.name;  // to nothing
  }
}

TEST(ScoreTable, EqualPicturesAreCalledSo) {
  const Picture picture = waves(100, 90, 0);
  const std::vector<NamedPicture> pictures = {{"a", &picture}};
  const auto table = score_table("t", {"f32", &picture}, pictures, 0, false);
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns, std::vector<std::string>{"a"});
  const ScoreTable::Row* psnr = row(*table, "psnr_y");
  ASSERT_TRUE(psnr);
  EXPECT_FALSE(psnr->values[0]);  // infinite
  EXPECT_TRUE(psnr->identical[0]);
  const Json json = json_of(*table);
  for (const Json& r : json["rows"])
    if (r["name"] == "psnr_y") {
      EXPECT_EQ(r["values"][0], "equal");
    }
  EXPECT_FALSE(row(*table, "piqe"));
}

TEST(ScoreTable, SaysWhatIsTooSmallOrOfAnotherSize) {
  const Picture small = waves(20, 20, 0), other = waves(20, 20, 1), larger = waves(40, 20, 0);
  const std::vector<NamedPicture> pictures = {{"a", &other}};
  const auto table = score_table("t", {"original", &small}, pictures, 0);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_FALSE(table->missing.empty());  // MS-SSIM wants 161 pixels
  const auto wrong = score_table("t", {"original", &larger}, pictures, 0);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("20x20"), std::string::npos) << wrong.error().what;
  EXPECT_FALSE(score_table("t", {"original", &small}, pictures, 10));
}

TEST(WithNoise, MovesColoursByThreeLevelsAndAlphaByNone) {
  for (const int bits : {8, 16}) {
    Picture grey(64, 64, 4, bits);
    for (size_t i = 0; i < grey.samples(); ++i) {
      if (bits == 8)
        grey.u8()[i] = 128;
      else
        grey.u16()[i] = 128 * 257;
    }
    const Picture noisy = with_noise(grey);
    EXPECT_EQ(with_noise(grey).bytes, noisy.bytes);  // seeded
    double squares = 0;
    for (size_t i = 0; i < grey.samples(); ++i) {
      const double moved = bits == 8 ? noisy.u8()[i] - 128. : (noisy.u16()[i] - 128. * 257) / 257;
      if (i % 4 == 3) {
        ASSERT_EQ(moved, 0);
      }
      squares += moved * moved;
    }
    EXPECT_NEAR(std::sqrt(squares / double(grey.samples()) * 4 / 3), 3, 0.15);
  }
}

}  // namespace
}  // namespace fye
