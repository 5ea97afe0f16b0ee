#include "image/alpha.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/resize.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

using testing::noise;

// Noise in which about half of the pixels are fully transparent.
Picture half_hidden(int width, int height, int channels, int bits, unsigned seed) {
  Picture picture = noise(width, height, channels, bits, seed);
  std::mt19937 random(seed + 1);
  const size_t sample = bits / 8, pixel = channels * sample;
  for (size_t at = 0; at < picture.bytes.size(); at += pixel) {
    if (random() % 2) std::fill_n(&picture.bytes[at + pixel - sample], sample, uint8_t(0));
  }
  return picture;
}

int value(const Picture& picture, size_t sample) {
  return picture.bits == 16 ? picture.u16()[sample] : picture.u8()[sample];
}

RC_GTEST_PROP(Bleed, VisiblePixelsAndAlphaStay, (unsigned seed, bool deep, bool rgb)) {
  const int channels = rgb ? 4 : 2;
  const Picture before =
      half_hidden(*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 20), channels, deep ? 16 : 8, seed);
  const Picture after = bleed_under_alpha(before);
  for (size_t i = 0; i < before.samples(); ++i) {
    const size_t alpha = i / channels * channels + channels - 1;
    if (i == alpha || value(before, alpha) != 0) RC_ASSERT(value(after, i) == value(before, i));
  }
}

RC_GTEST_PROP(Bleed, NewColoursLieBetweenTheVisibleOnes, (unsigned seed, bool deep)) {
  const Picture before =
      half_hidden(*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 20), 2, deep ? 16 : 8, seed);
  int low = 1 << 16, high = -1;
  for (size_t i = 0; i < before.samples(); i += 2) {
    if (value(before, i + 1) == 0) continue;
    low = std::min(low, value(before, i));
    high = std::max(high, value(before, i));
  }
  const Picture after = bleed_under_alpha(before);
  for (size_t i = 0; i < after.samples(); i += 2) {
    if (high < 0) {
      RC_ASSERT(value(after, i) == value(before, i));
    } else if (value(after, i + 1) == 0) {
      RC_ASSERT(value(after, i) >= low && value(after, i) <= high);
    }
  }
}

RC_GTEST_PROP(Bleed, HiddenColoursDoNotMatter, (unsigned seed)) {
  Picture one = half_hidden(*rc::gen::inRange(1, 20), *rc::gen::inRange(1, 20), 4, 8, seed);
  Picture other = one;
  bool any_visible = false;
  for (size_t i = 0; i < one.samples(); i += 4) {
    any_visible |= one.bytes[i + 3] != 0;
    if (one.bytes[i + 3] == 0) std::fill_n(&other.bytes[i], 3, uint8_t(99));
  }
  if (any_visible) RC_ASSERT(bleed_under_alpha(one).bytes == bleed_under_alpha(other).bytes);
}

TEST(Bleed, OneVisiblePixelColoursAll) {
  Picture picture(33, 17, 4);
  picture.bytes[(5 * 33 + 20) * 4] = 210;
  picture.bytes[(5 * 33 + 20) * 4 + 1] = 40;
  picture.bytes[(5 * 33 + 20) * 4 + 3] = 1;
  const Picture after = bleed_under_alpha(picture);
  for (size_t i = 0; i < after.samples(); i += 4) {
    ASSERT_EQ(after.bytes[i], 210);
    ASSERT_EQ(after.bytes[i + 1], 40);
    ASSERT_EQ(after.bytes[i + 2], 0);
  }
}

// What it is for: resampling colour and alpha apart leaves no dark rim.
TEST(Bleed, NoHaloAfterSeparateResampling) {
  Picture picture(16, 16, 4);
  for (int y = 4; y < 12; ++y) {
    for (int x = 4; x < 12; ++x) {
      const uint8_t disc[] = {240, 230, 220, 255};
      std::copy_n(disc, 4, &picture.bytes[(y * 16 + x) * 4]);
    }
  }
  SplitPicture split = split_alpha(bleed_under_alpha(picture));
  const auto joined = join_alpha(matlab_bicubic(split.colour, 32, 32), matlab_bicubic(split.alpha, 32, 32));
  ASSERT_TRUE(joined);
  for (size_t i = 0; i < joined->samples(); i += 4) {
    if (joined->bytes[i + 3] > 0) {
      ASSERT_GE(joined->bytes[i], 239) << i;
    }
  }
}

TEST(Bleed, PicturesWithoutAlphaOrHiddenPixelsStay) {
  const Picture rgb = noise(5, 4, 3, 8, 1);
  EXPECT_EQ(bleed_under_alpha(rgb).bytes, rgb.bytes);
  Picture opaque = noise(5, 4, 4, 8, 1);
  for (size_t i = 3; i < opaque.samples(); i += 4) opaque.bytes[i] = 255;
  EXPECT_EQ(bleed_under_alpha(opaque).bytes, opaque.bytes);
  const Picture nothing(5, 4, 4);
  EXPECT_EQ(bleed_under_alpha(nothing).bytes, nothing.bytes);
}

RC_GTEST_PROP(Alpha, SplitThenJoinIsIdentity, (unsigned seed, bool deep)) {
  Picture picture =
      noise(*rc::gen::inRange(1, 9), *rc::gen::inRange(1, 9), *rc::gen::element(2, 4), deep ? 16 : 8, seed);
  picture.metadata.xmp = "kept";
  const SplitPicture split = split_alpha(picture);
  RC_ASSERT(split.colour.channels == picture.channels - 1);
  RC_ASSERT(split.alpha.channels == 1);
  const auto joined = join_alpha(split.colour, split.alpha);
  RC_ASSERT(joined.ok());
  RC_ASSERT(joined->bytes == picture.bytes);
  RC_ASSERT(joined->metadata.xmp == "kept");
}

TEST(Alpha, SplitWithoutAlpha) {
  const Picture rgb = noise(3, 2, 3, 8, 7);
  const SplitPicture split = split_alpha(rgb);
  EXPECT_EQ(split.colour.bytes, rgb.bytes);
  EXPECT_EQ(split.alpha.width, 0);
}

TEST(Alpha, JoinRefusesWhatDoesNotFit) {
  EXPECT_FALSE(join_alpha(Picture(3, 2, 3), Picture(2, 3, 1)));
  EXPECT_FALSE(join_alpha(Picture(3, 2, 3), Picture(3, 2, 1, 16)));
  EXPECT_FALSE(join_alpha(Picture(3, 2, 3), Picture(3, 2, 3)));
  EXPECT_FALSE(join_alpha(Picture(3, 2, 4), Picture(3, 2, 1)));
}

TEST(OverWhite, ByHand) {
  Picture picture(3, 1, 2);
  picture.bytes = {10, 255, 10, 0, 0, 128};
  EXPECT_EQ(over_white(picture).bytes, (std::vector<uint8_t>{10, 255, 127}));
  Picture deep(2, 1, 2, 16);
  deep.u16()[0] = 1234;
  deep.u16()[1] = 65535;
  deep.u16()[2] = 1234;
  EXPECT_EQ(over_white(deep).u16()[0], 1234);
  EXPECT_EQ(over_white(deep).u16()[1], 65535);
}

}  // namespace
}  // namespace fye
