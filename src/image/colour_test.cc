#include "image/colour.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/depth.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

Picture pixel(int channels, std::vector<uint8_t> bytes) {
  Picture picture(1, 1, channels);
  picture.bytes = std::move(bytes);
  return picture;
}

// Ends of BT.601's studio range, and the primaries, by the formula's own coefficients.
TEST(Luma, KnownColours) {
  EXPECT_DOUBLE_EQ(luma(pixel(3, {0, 0, 0})).values[0], 16);
  EXPECT_DOUBLE_EQ(luma(pixel(3, {255, 255, 255})).values[0], 235);
  EXPECT_DOUBLE_EQ(luma(pixel(3, {255, 0, 0})).values[0], 16 + 65.481);
  EXPECT_DOUBLE_EQ(luma(pixel(3, {0, 255, 0})).values[0], 16 + 128.553);
  EXPECT_DOUBLE_EQ(luma(pixel(3, {0, 0, 255})).values[0], 16 + 24.966);
  EXPECT_DOUBLE_EQ(luma(pixel(1, {255})).values[0], 235);
}

TEST(Grey, KnownColours) {
  EXPECT_EQ(grey(pixel(3, {255, 0, 0})).values[0], 76);       // 76.22
  EXPECT_EQ(grey(pixel(3, {0, 255, 0})).values[0], 150);      // 149.685
  EXPECT_EQ(grey(pixel(3, {0, 0, 255})).values[0], 29);       // 29.07
  EXPECT_EQ(grey(pixel(3, {255, 255, 255})).values[0], 255);  // 254.9745
}

RC_GTEST_PROP(Colour, AlphaIsIgnored, (uint8_t r, uint8_t g, uint8_t b, uint8_t alpha)) {
  RC_ASSERT(luma(pixel(4, {r, g, b, alpha})).values == luma(pixel(3, {r, g, b})).values);
  RC_ASSERT(grey(pixel(4, {r, g, b, alpha})).values == grey(pixel(3, {r, g, b})).values);
  RC_ASSERT(luma(pixel(2, {r, alpha})).values == luma(pixel(1, {r})).values);
}

RC_GTEST_PROP(Colour, GreyPicturesAreEqualChannels, (uint8_t v)) {
  RC_ASSERT(luma(pixel(1, {v})).values == luma(pixel(3, {v, v, v})).values);
  RC_ASSERT(grey(pixel(1, {v})).values == grey(pixel(3, {v, v, v})).values);
}

RC_GTEST_PROP(Colour, SixteenBitTimes257IsTheSame, (uint8_t r, uint8_t g, uint8_t b)) {
  Picture deep(1, 1, 3, 16);
  deep.u16()[0] = static_cast<uint16_t>(r * 257);
  deep.u16()[1] = static_cast<uint16_t>(g * 257);
  deep.u16()[2] = static_cast<uint16_t>(b * 257);
  RC_ASSERT(luma(deep).values == luma(pixel(3, {r, g, b})).values);
  RC_ASSERT(grey(deep).values == grey(pixel(3, {r, g, b})).values);
  RC_ASSERT(to_8_bit(deep).bytes == (std::vector<uint8_t>{r, g, b}));
}

TEST(To8Bit, EveryLevelIsTheNearest) {
  Picture deep(256, 256, 1, 16);
  for (int v = 0; v < 65536; ++v) deep.u16()[v] = static_cast<uint16_t>(v);
  const Picture narrow = to_8_bit(deep);
  ASSERT_EQ(narrow.bits, 8);
  for (int v = 0; v < 65536; ++v) ASSERT_EQ(narrow.bytes[v], static_cast<int>(v / 257.0 + 0.5)) << v;
}

}  // namespace
}  // namespace fye
