#include "cli/parse.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace fye {
namespace {

TEST(ParseBytes, Units) {
  EXPECT_EQ(*parse_bytes("--mem", "100000"), 100000);
  EXPECT_EQ(*parse_bytes("--mem", "512M"), int64_t{512} << 20);
  EXPECT_EQ(*parse_bytes("--mem", "2G"), int64_t{2} << 30);
  EXPECT_EQ(*parse_bytes("--mem", "2GB"), int64_t{2} << 30);
  EXPECT_EQ(*parse_bytes("--mem", "2GiB"), int64_t{2} << 30);
  EXPECT_EQ(*parse_bytes("--mem", "1.5k"), 1536);
}

TEST(ParseBytes, Refusals) {
  for (const char* bad : {"", "G", "-1", "0", "12Q", "1e300G", "nan", "inf", "0x10", "1 G", "M512"}) {
    const auto parsed = parse_bytes("--mem", bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, ErrorCode::usage);
    EXPECT_NE(parsed.error().what.find("--mem"), std::string::npos);
  }
}

RC_GTEST_PROP(ParseSize, RoundTrip, ()) {
  const int width = *rc::gen::inRange(1, 65536), height = *rc::gen::inRange(1, 65536);
  const auto size = parse_size("--size", std::to_string(width) + "x" + std::to_string(height));
  RC_ASSERT(size.ok());
  RC_ASSERT(size->width == width && size->height == height);
}

RC_GTEST_PROP(ParseSize, AnyTextIsAnAnswerOrAUsageError, (const std::string& text)) {
  const auto size = parse_size("--size", text);
  if (!size) RC_ASSERT(size.error().code == ErrorCode::usage);
  const auto bytes = parse_bytes("--mem", text);
  if (bytes) RC_ASSERT(*bytes >= 1);
  const auto ratio = parse_ratio("--scale", text);
  if (ratio) RC_ASSERT(ratio->of(1) >= 1);
  const auto threads = parse_threads("-j", text);
  if (threads) RC_ASSERT(*threads >= 1 && *threads <= 1024);
}

TEST(ParseSize, Refusals) {
  for (const char* bad :
       {"640", "640x", "x360", "0x360", "640x-1", "65536x1", "640X360", "640x360x3", "99999999999x1"})
    EXPECT_FALSE(parse_size("--size", bad)) << bad;
}

TEST(ParseCrop, MiddleOrPlace) {
  EXPECT_FALSE(parse_crop("--crop", "10x20")->at);
  const auto crop = parse_crop("--crop", "10x20+3+4");
  ASSERT_TRUE(crop);
  EXPECT_EQ(crop->at->width, 3);
  EXPECT_EQ(crop->at->height, 4);
  for (const char* bad : {"10x20+3", "10x20+-3+4", "10x20+3+", "10+3+4", "+3+4"})
    EXPECT_FALSE(parse_crop("--crop", bad)) << bad;
}

TEST(ParseRatio, ExactThirds) {
  const auto third = parse_ratio("--scale", "1/3");
  ASSERT_TRUE(third);
  for (int length = 3; length < 60000; length += 3) EXPECT_EQ(third->of(length), length / 3);
  EXPECT_EQ(third->of(10), 4);  // ceil, as imresize
  EXPECT_EQ(parse_ratio("--scale", "2.5")->of(10), 25);
  for (const char* bad : {"0", "-1", "1/0", "1/", "/3", "17", "1/17", "three", "1/3/3"})
    EXPECT_FALSE(parse_ratio("--scale", bad)) << bad;
}

TEST(ParseThreads, PlainAndNcnn) {
  EXPECT_EQ(*parse_threads("-j", "4"), 4);
  EXPECT_EQ(*parse_threads("-j", "1:8:2"), 8);
  for (const char* bad : {"0", "-1", "1:8", "a", "1::1", "1025"})
    EXPECT_FALSE(parse_threads("-j", bad)) << bad;
}

TEST(ParseDeadline, MillisecondsOrSeconds) {
  EXPECT_EQ(*parse_deadline("--deadline", "40ms"), 40);
  EXPECT_EQ(*parse_deadline("--deadline", "0.04s"), 40);
  EXPECT_EQ(*parse_deadline("--deadline", "40"), 40);
  EXPECT_EQ(*parse_deadline("--deadline", "16.6"), 16.6);
  EXPECT_EQ(*parse_deadline("--deadline", "1e12"), 1e12);
  for (const char* bad :
       {"", "ms", "s", "0", "0ms", "-40ms", "nan", "inf", "infs", "1e308s", "1e400", "40 ms", "40m", "4O"})
    EXPECT_FALSE(parse_deadline("--deadline", bad)) << bad;
  EXPECT_NE(parse_deadline("--deadline", "-3").error().what.find("no time above 0"), std::string::npos);
}

TEST(ParseNumbers, NamesTheChoices) {
  EXPECT_EQ(*parse_numbers("--numbers", "int8"), Numbers::int8);
  EXPECT_EQ(*parse_numbers("--numbers", "int8r16"), Numbers::int8r16);
  EXPECT_NE(parse_numbers("--numbers", "fp16").error().hint.find("bf16"), std::string::npos);
}

}  // namespace
}  // namespace fye
