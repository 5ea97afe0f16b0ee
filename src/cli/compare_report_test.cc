#include "cli/compare_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fye {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result<Score> unused(const Picture&, const Picture&, int) { return Score{}; }

const Metric kColumns[] = {
    {"sharp", "dB", Better::higher, Needs::original, true, unused},
    {"near", "", Better::lower, Needs::original, true, unused},
    {"alone", "", Better::lower, Needs::nothing, true, unused},
};

// sharp: `sharp`; near: not installed if negative; alone: 40, and 30 of the original.
ComparedRow row(const std::string& file, double sharp, double near = 0.25) {
  ComparedRow made{"orig.png", file, {}};
  made.scores.of_picture["sharp"] = {sharp, false};
  if (near < 0) {
    made.scores.missing.emplace_back("near", not_installed("fye models install near"));
  } else {
    made.scores.of_picture["near"] = {near, false};
  }
  made.scores.of_picture["alone"] = {40, false};
  made.scores.of_original["alone"] = {30, false};
  made.scores.identical = std::isinf(sharp);
  return made;
}

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(CompareTable, OriginalFirstAndColumnsAligned) {
  const ComparedRow rows[] = {row("a.png", 30.5), row("longer.png", kInfinite)};
  EXPECT_EQ(table_of(rows, kColumns),
            "             sharp dB     near   alone\n"
            "orig.png                        30.000\n"
            "a.png          30.500  0.25000  40.000\n"
            "longer.png  identical  0.25000  40.000\n");
}

TEST(CompareTable, WithoutScoresOfOnePictureNoOriginal) {
  const ComparedRow rows[] = {row("a.png", 30.5)};
  EXPECT_THAT(table_of(rows, std::span(kColumns).first(2)), Not(HasSubstr("orig.png")));
}

TEST(CompareTable, WhatIsNotInstalledIsSaidInItsCell) {
  const ComparedRow rows[] = {row("a.png", 30.5, -1)};
  EXPECT_THAT(table_of(rows, kColumns), HasSubstr("not installed"));
  ComparedRow small = row("a.png", 30.5);
  small.scores.of_picture.erase("near");
  small.scores.missing.emplace_back("near", bad_input("too small"));
  EXPECT_THAT(table_of(std::span(&small, 1), kColumns), HasSubstr("30.500     -  40.000"));
}

ComparedFolders folders() {
  return {"A",
          "B",
          {row("B/x.png", 30), row("B/y.png", kInfinite), row("B/z.png", 40)},
          {"A/q.png"},
          {{"B/broken.png", "B/broken.png: truncated"}}};
}

TEST(CompareTable, MeansSayWhatTheyAreOf) {
  const std::string text = table_of(folders(), kColumns);
  EXPECT_THAT(text, HasSubstr("mean of 3"));
  EXPECT_THAT(text, HasSubstr("35.000 (n 2)"));
  EXPECT_THAT(text, HasSubstr("mean of the originals"));
}

TEST(CompareJson, OneRow) {
  const Json json = json_of(row("a.png", 30.5, -1), kColumns);
  EXPECT_EQ(
      json.dump(),
      R"({"file":"a.png","sharp":30.5,"near":null,"alone":40.0,"alone_original":30.0,"identical":false})");
  EXPECT_TRUE(json_of(row("a.png", kInfinite), kColumns)["sharp"].is_null());
  ComparedRow unknown = row("a.png", 30);
  unknown.scores.identical.reset();
  EXPECT_TRUE(json_of(unknown, kColumns)["identical"].is_null());
}

TEST(CompareJson, Folders) {
  const Json json = json_of(folders(), kColumns);
  EXPECT_EQ(json["mean"]["sharp"], 35);
  EXPECT_EQ(json["n"]["sharp"], 2);
  EXPECT_EQ(json["n"]["near"], 3);
  EXPECT_EQ(json["mean"]["alone_original"], 30);
  EXPECT_EQ(json["rows"].size(), 3u);
  EXPECT_EQ(json["without_partner"][0], "A/q.png");
  EXPECT_EQ(json["failed"][0]["file"], "B/broken.png");
}

TEST(CompareJson, AMeanOfNothingIsNull) {
  ComparedFolders one{"A", "B", {row("B/x.png", kInfinite, -1)}, {}, {}};
  const Json json = json_of(one, kColumns);
  EXPECT_TRUE(json["mean"]["sharp"].is_null());
  EXPECT_EQ(json["n"]["near"], 0);
}

TEST(CompareCsv, RowsAndQuotes) {
  const ComparedRow rows[] = {row("a.png", 30.5), row("with, comma \"and\" quotes.png", kInfinite, -1)};
  EXPECT_EQ(csv_of(rows, kColumns),
            "original,file,sharp,near,alone,alone_original,identical\n"
            "orig.png,a.png,30.5,0.25,40,30,false\n"
            "orig.png,\"with, comma \"\"and\"\" quotes.png\",inf,,40,30,true\n");
}

}  // namespace
}  // namespace fye
