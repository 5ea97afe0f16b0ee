// Colours under transparent pixels, row by row: the same as over the whole picture.
#include "image/bleed_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/alpha.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

Picture bleed_by_rows(const Picture& picture) {
  const RowFormat rows{picture.width, picture.height, picture.channels, picture.bits};
  BleedRows bleed(rows);
  const size_t row = rows.row_bytes();
  for (int y = 0; y < rows.height; ++y) bleed.survey(picture.bytes.data() + size_t(y) * row);
  Picture result(rows.width, rows.height, rows.channels, rows.bits);
  int made = 0;
  for (int y = 0; y < rows.height; ++y) {
    bleed.add(picture.bytes.data() + size_t(y) * row);
    while (bleed.next(result.bytes.data() + size_t(made) * row)) ++made;
    if (made < rows.height) {
      EXPECT_LT(y + 1, bleed.rows_before(made));
    }
  }
  EXPECT_EQ(made, rows.height);
  return result;
}

RC_GTEST_PROP(BleedRows, SameAsWhole, ()) {
  const int bits = *rc::gen::element(8, 16), channels = *rc::gen::element(2, 4);
  Picture picture = testing::noise(*rc::gen::inRange(1, 120), *rc::gen::inRange(1, 120), channels, bits,
                                   *rc::gen::arbitrary<unsigned>());
  // Shares from all visible to all hidden, in lumps.
  const int shown = *rc::gen::inRange(0, 11), lump = *rc::gen::inRange(1, 50);
  for (size_t i = 0; i < picture.samples() / size_t(channels); ++i) {
    const size_t x = i % size_t(picture.width), y = i / size_t(picture.width);
    const size_t hash = (x / size_t(lump) * 7919 + y / size_t(lump) * 104729) % 10;
    const size_t at = i * size_t(channels) + size_t(channels) - 1;
    if (int(hash) < shown) {
      bits == 8 ? void(picture.u8()[at] |= 1) : void(picture.u16()[at] |= 1);
    } else {
      bits == 8 ? void(picture.u8()[at] = 0) : void(picture.u16()[at] = 0);
    }
  }
  RC_ASSERT(bleed_by_rows(picture).bytes == bleed_under_alpha(picture).bytes);
}

TEST(BleedRows, OneVisiblePixelColoursAll) {
  for (const auto& [x, y] : {std::pair(0, 0), {70, 3}, {5, 99}, {99, 99}}) {
    Picture picture(100, 100, 4);
    uint8_t* pixel = &picture.bytes[size_t(y * 100 + x) * 4];
    pixel[0] = 200, pixel[1] = 100, pixel[2] = 50, pixel[3] = 1;
    const Picture bled = bleed_by_rows(picture);
    EXPECT_EQ(bled.bytes, bleed_under_alpha(picture).bytes);
    EXPECT_EQ(bled.bytes[0], 200);
  }
}

TEST(BleedRows, NeededOnlyWhereSomethingIsHiddenAndSomethingShows) {
  for (const int alpha : {0, 255}) {
    Picture picture(40, 40, 2);
    for (size_t i = 1; i < picture.samples(); i += 2) picture.bytes[i] = uint8_t(alpha);
    BleedRows bleed({40, 40, 2, 8});
    for (int y = 0; y < 40; ++y) bleed.survey(&picture.bytes[size_t(y) * 80]);
    EXPECT_FALSE(bleed.needed());
    EXPECT_EQ(bleed_by_rows(picture).bytes, picture.bytes);
  }
}

TEST(BleedRows, HoldsRowsNotThePicture) { EXPECT_LT(BleedRows::bytes({10'000, 10'000, 4, 8}), 40'000'000); }

}  // namespace
}  // namespace fye
