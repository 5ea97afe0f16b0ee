#include "image/orientation.h"

#include <gtest/gtest.h>

#include "image/file.h"
#include "image/testing_exif.h"
#include "image/testing_pictures.h"
#include "image/vips.h"

namespace fye {
namespace {

using testing::Folder;
using testing::pattern;

// The stored 3 x 2 picture 012/345 as it has to be shown (EXIF 2.3, tag 0x0112: where row 0 and column 0 of
// the stored picture lie in the shown one).
struct Shown {
  int orientation, width, height;
  std::vector<uint8_t> bytes;
};
const Shown kShown[] = {{1, 3, 2, {0, 1, 2, 3, 4, 5}}, {2, 3, 2, {2, 1, 0, 5, 4, 3}},
                        {3, 3, 2, {5, 4, 3, 2, 1, 0}}, {4, 3, 2, {3, 4, 5, 0, 1, 2}},
                        {5, 2, 3, {0, 3, 1, 4, 2, 5}}, {6, 2, 3, {3, 0, 4, 1, 5, 2}},
                        {7, 2, 3, {5, 2, 4, 1, 3, 0}}, {8, 2, 3, {2, 5, 1, 4, 0, 3}}};

TEST(Upright, AllEightByHand) {
  for (const Shown& shown : kShown) {
    Picture stored(3, 2, 1);
    stored.bytes = {0, 1, 2, 3, 4, 5};
    const Picture result = upright(stored, shown.orientation);
    EXPECT_EQ(result.width, shown.width) << shown.orientation;
    EXPECT_EQ(result.height, shown.height) << shown.orientation;
    EXPECT_EQ(result.bytes, shown.bytes) << shown.orientation;
  }
}

TEST(Upright, WholePixelsMoveAndResolutionTurns) {
  Picture stored = pattern(5, 4, 3, 16);
  stored.metadata.pixels_per_mm_x = 10;
  stored.metadata.pixels_per_mm_y = 20;
  const Picture result = upright(stored, 6);  // turned clockwise by a quarter
  EXPECT_EQ(result.metadata.pixels_per_mm_x, 20);
  EXPECT_EQ(result.metadata.pixels_per_mm_y, 10);
  for (int c = 0; c < 3; ++c)
    EXPECT_EQ(result.u16()[3 * 3 + c], stored.u16()[c]);  // top left went to top right
}

TEST(Upright, UnknownValuesChangeNothing) {
  for (const int orientation : {-1, 0, 9, 1000}) {
    EXPECT_EQ(upright(pattern(3, 2, 1), orientation).bytes, pattern(3, 2, 1).bytes);
  }
}

// Sixteen pictures a format: eight orientations, landscape and portrait.
void check_files(const char* extension) {
  const Folder folder;
  for (const bool portrait : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      Picture stored = pattern(portrait ? 9 : 14, portrait ? 14 : 9, 3);
      stored.metadata.exif = testing::exif_block(orientation, stored.width, stored.height, orientation % 2);
      const auto path = folder / (std::string("p") + extension);
      ASSERT_TRUE(write_picture(stored, path, {100}));
      const auto probed = probe_picture(path);
      const auto read = read_picture(path);
      ASSERT_TRUE(read) << read.error().text();
      const Picture expected = upright(stored, orientation);
      EXPECT_EQ(probed->width, expected.width);
      EXPECT_EQ(probed->height, expected.height);
      ASSERT_EQ(read->width, expected.width) << orientation;
      ASSERT_EQ(read->height, expected.height) << orientation;
      EXPECT_EQ(read->bytes, expected.bytes) << orientation;
      EXPECT_EQ(testing::exif_number(read->metadata.exif, 0x0112), 1);
    }
  }
}

TEST(UprightFiles, Png) { check_files(".png"); }
TEST(UprightFiles, Webp) { check_files(".webp"); }

// JPEG loses pixels, so the sixteen are told apart by a bright corner.
TEST(UprightFiles, Jpeg) {
  const Folder folder;
  for (const bool portrait : {false, true}) {
    for (int orientation = 1; orientation <= 8; ++orientation) {
      Picture stored(portrait ? 32 : 48, portrait ? 48 : 32, 3);
      for (int y = 0; y < 16; ++y) {
        for (int x = 0; x < 16; ++x) {
          stored.bytes[(y * stored.width + x) * 3] = 250;           // red at the top left,
          stored.bytes[(y * stored.width + x + 16) * 3 + 2] = 250;  // blue beside it
        }
      }
      stored.metadata.exif = testing::exif_block(orientation, stored.width, stored.height, true);
      ASSERT_TRUE(write_picture(stored, folder / "p.jpg"));
      const auto read = read_picture(folder / "p.jpg");
      ASSERT_TRUE(read) << read.error().text();
      const Picture expected = upright(stored, orientation);
      ASSERT_EQ(read->width, expected.width);
      int most = 0;
      for (size_t i = 0; i < read->samples(); ++i)
        most = std::max(most, std::abs(read->bytes[i] - expected.bytes[i]));
      EXPECT_LT(most, 30) << orientation;
    }
  }
}

// TIFF has the orientation in a tag of its own.
TEST(UprightFiles, Tiff) {
  ASSERT_TRUE(start_vips());
  const Folder folder;
  for (int orientation = 1; orientation <= 8; ++orientation) {
    Picture stored = pattern(14, 9, 3);
    const ImageRef image(
        vips_image_new_from_memory(stored.bytes.data(), stored.bytes.size(), 14, 9, 3, VIPS_FORMAT_UCHAR));
    image->Type = VIPS_INTERPRETATION_sRGB;
    vips_image_set_int(image.get(), VIPS_META_ORIENTATION, orientation);
    ASSERT_EQ(vips_tiffsave(image.get(), (folder / "p.tif").c_str(), nullptr), 0);
    const auto read = read_picture(folder / "p.tif");
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->bytes, upright(stored, orientation).bytes) << orientation;
  }
}

}  // namespace
}  // namespace fye
