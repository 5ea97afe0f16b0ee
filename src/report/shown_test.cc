#include "report/shown.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

class Shown : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("fye-shown-test-" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  Picture back(const PagePicture& picture) {
    EXPECT_TRUE(write_file(folder_ / "back.webp", picture.bytes));
    auto read = read_picture(folder_ / "back.webp");
    EXPECT_TRUE(read) << read.error().text();
    return *read;
  }
  fs::path folder_;
};

Picture some_picture(int width, int height, int channels, int bits = 8) {
  Picture picture(width, height, channels, bits);
  for (size_t i = 0; i < picture.bytes.size(); ++i) picture.bytes[i] = uint8_t(i * 31 % 251);
  return picture;
}

TEST_F(Shown, IsThePictureWithoutLoss) {
  for (const int channels : {3, 4}) {
    Picture picture = some_picture(20, 12, channels);
    // WebP need not keep colours that nobody can see.
    for (size_t i = 3; channels == 4 && i < picture.bytes.size(); i += 4) picture.bytes[i] |= 1;
    const auto page = shown(picture, {0, 0, 20, 12}, 1, folder_ / "report.html");
    ASSERT_TRUE(page) << page.error().text();
    EXPECT_EQ(page->type, "image/webp");
    EXPECT_EQ(back(*page).bytes, picture.bytes);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);  // back.webp: nothing else was left
}

TEST_F(Shown, CutsTheSamePartOfLargeAndSmall) {
  const Picture picture = some_picture(40, 24, 3);
  const auto page = shown(picture, {3, 2, 5, 4}, 2, folder_ / "report.html");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(page->width, 10);
  EXPECT_EQ(page->height, 8);
  const Picture part = back(*page);
  for (int y = 0; y < 8; ++y)
    for (int i = 0; i < 30; ++i)
      ASSERT_EQ(part.bytes[size_t(y * 30 + i)], picture.bytes[size_t(((4 + y) * 40 + 6) * 3 + i)]);
}

TEST_F(Shown, TellsNothingAboutPlacesAndPeople) {
  Picture picture = some_picture(8, 8, 3);
  picture.metadata.xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>somebody</x:xmpmeta>";
  picture.metadata.exif = std::string("II*\0\x08\0\0\0\0\0\0\0\0\0", 14);
  const auto page = shown(picture, {0, 0, 8, 8}, 1, folder_ / "report.html");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(page->bytes.find("somebody"), std::string::npos);
  EXPECT_TRUE(back(*page).metadata.xmp.empty());
  EXPECT_TRUE(back(*page).metadata.exif.empty());
}

TEST_F(Shown, SixteenBitsBecomeEight) {
  const auto page = shown(some_picture(6, 5, 3, 16), {0, 0, 6, 5}, 1, folder_ / "report.html");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(back(*page).bits, 8);
}

TEST_F(Shown, AFolderThatIsNotThereIsSaid) {
  const auto page = shown(some_picture(6, 5, 3), {0, 0, 6, 5}, 1, folder_ / "missing" / "report.html");
  ASSERT_FALSE(page);
  EXPECT_NE(page.error().text().find("missing"), std::string::npos);
}

TEST_F(Shown, AStripLongerThanTheFormatCanHoldIsCut) {
  const Window window = window_for(9000, 16, 2);
  const auto page = shown(some_picture(18000, 32, 3), window, 2, folder_ / "report.html");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_EQ(page->width, 16382);
  EXPECT_EQ(page->height, 32);
}

RC_GTEST_PROP(Window, FitsAndLiesInside, ()) {
  const int width = *rc::gen::inRange(1, 65536), height = *rc::gen::inRange(1, 65536), scale = *rc::gen::inRange(1, 17);
  const Window window = window_for(width, height, scale);
  RC_ASSERT(window.width >= 1 && window.height >= 1);
  RC_ASSERT(window.left >= 0 && window.left + window.width <= width);
  RC_ASSERT(window.top >= 0 && window.top + window.height <= height);
  RC_ASSERT(check_window(window, width, height, scale).ok());
  if (double(width) * height * scale * scale <= double(kMostShown) && std::max(width, height) * scale <= kMostSide) RC_ASSERT(window == (Window{0, 0, width, height}));
}

TEST(Window, RefusesWhatIsOutsideOrTooLarge) {
  EXPECT_TRUE(check_window({0, 0, 10, 10}, 10, 10, 2));
  for (const Window& bad : {Window{1, 0, 10, 10}, Window{0, 1, 10, 10}, Window{-1, 0, 5, 5}, Window{0, 0, 0, 5}, Window{0, 0, 5, 0}}) {
    const auto status = check_window(bad, 10, 10, 2);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::usage);
  }
  EXPECT_FALSE(check_window({0, 0, 3000, 3000}, 4000, 4000, 2));
  EXPECT_FALSE(check_window({0, 0, 8192, 2}, 9000, 2, 2));
}

}  // namespace
}  // namespace fye
