#include "cli/side_by_side.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

Picture numbered(int width, int height, int channels, int bits = 8) {
  Picture picture(width, height, channels, bits);
  for (size_t i = 0; i < picture.samples(); ++i) {
    if (bits == 8) {
      picture.u8()[i] = static_cast<uint8_t>(i);
    } else {
      picture.u16()[i] = static_cast<uint16_t>(i * 257);
    }
  }
  return picture;
}

TEST(Cropped, TakesTheMiddleOrThePlace) {
  const Picture picture = numbered(8, 6, 1);
  auto middle = cropped(picture, {{2, 2}, {}});
  ASSERT_TRUE(middle);
  EXPECT_EQ(middle->u8()[0], 2 * 8 + 3);
  auto corner = cropped(picture, {{3, 2}, Size{5, 4}});
  ASSERT_TRUE(corner);
  EXPECT_EQ(corner->u8()[0], 4 * 8 + 5);
  EXPECT_EQ(corner->u8()[5], 5 * 8 + 7);
}

TEST(Cropped, OutsideIsRefused) {
  const Picture picture = numbered(8, 6, 3, 16);
  for (const Crop& crop :
       {Crop{{9, 6}, {}}, Crop{{8, 7}, {}}, Crop{{2, 2}, Size{7, 0}}, Crop{{2, 2}, Size{0, 5}}}) {
    auto part = cropped(picture, crop);
    ASSERT_FALSE(part);
    EXPECT_NE(part.error().what.find("8x6"), std::string::npos);
  }
}

TEST(SideBySide, GreyAnd16BitBecome8BitRgbBesideAGap) {
  const Picture pictures[] = {numbered(2, 3, 2), numbered(3, 2, 4, 16)};
  const Picture row = side_by_side(pictures, 4);
  EXPECT_EQ(row.width, 2 + 4 + 3);
  EXPECT_EQ(row.height, 3);
  EXPECT_EQ(row.channels, 3);
  const auto at = [&](int y, int x, int c) { return row.u8()[(y * row.width + x) * 3 + c]; };
  EXPECT_EQ(at(2, 1, 0), 10);  // sample (2, 1) of the grey plane
  EXPECT_EQ(at(2, 1, 2), 10);
  EXPECT_EQ(at(0, 2, 1), 255);  // the gap
  EXPECT_EQ(at(1, 6 + 2, 1), (3 + 2) * 4 + 1);
  EXPECT_EQ(at(2, 7, 0), 255);  // below the lower picture
}

}  // namespace
}  // namespace fye
