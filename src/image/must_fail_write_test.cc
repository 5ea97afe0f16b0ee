// Pictures that can't be stored: an error with the file's name, and nothing left in the folder.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "image/file.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

using testing::contains;
using testing::Folder;
using testing::pattern;

TEST(MustFailWrite, UnknownExtension) {
  const Folder folder;
  for (const char* file : {"p.gif", "p.bmp", "p", "p.png.txt", "p.", ".png"}) {
    const auto written = write_picture(pattern(4, 4, 3), folder / file);
    ASSERT_FALSE(written) << file;
    EXPECT_EQ(written.error().code, ErrorCode::usage);
    EXPECT_TRUE(contains(written.error().what, file)) << written.error().what;
  }
  EXPECT_EQ(folder.files(), 0u);
}

TEST(MustFailWrite, MissingFolderAndFolderInPlaceOfFile) {
  const Folder folder;
  const auto missing = write_picture(pattern(4, 4, 3), folder / "not/there.png");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(contains(missing.error().what, "there.png")) << missing.error().what;
  std::filesystem::create_directory(folder / "folder.png");
  EXPECT_FALSE(write_picture(pattern(4, 4, 3), folder / "folder.png"));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(MustFailWrite, Quality) {
  const Folder folder;
  for (const int quality : {0, -1, 101}) {
    const auto written = write_picture(pattern(4, 4, 3), folder / "p.jpg", {quality});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::usage);
  }
  EXPECT_EQ(folder.files(), 0u);
}

TEST(MustFailWrite, TooLargeForTheFormat) {
  const Folder folder;
  const auto webp = write_picture(Picture(16'384, 1, 3), folder / "p.webp");
  ASSERT_FALSE(webp);
  EXPECT_TRUE(contains(webp.error().what, "16383")) << webp.error().what;
  const auto jpeg = write_picture(Picture(1, 65'501, 3), folder / "p.jpg");
  ASSERT_FALSE(jpeg);
  EXPECT_TRUE(contains(jpeg.error().what, "65500")) << jpeg.error().what;
  EXPECT_EQ(folder.files(), 0u);
}

TEST(MustFailWrite, PicturesThatAreNone) {
  const Folder folder;
  Picture short_of_bytes(4, 4, 3);
  short_of_bytes.bytes.pop_back();
  Picture odd_depth(4, 4, 3);
  odd_depth.bits = 12;
  for (const Picture& picture : {Picture(), short_of_bytes, odd_depth, Picture(4, 4, 5), Picture(0, 4, 3)}) {
    const auto written = write_picture(picture, folder / "p.png");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::internal);
  }
  EXPECT_EQ(folder.files(), 0u);
}

// A file-size limit behaves as a full disk does: the write fails half way.
TEST(MustFailWrite, FullDiskLeavesNothingAndKeepsTheOldFile) {
  const Folder folder;
  testing::store(folder / "old.png", "old");
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const char* file : {"p.png", "p.jpg", "p.webp", "p.tif", "old.png"}) {
    const rlimit small{1000, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = write_picture(testing::noise(64, 64, 3, 8, 1), folder / file);
    setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_FALSE(written) << file;
    EXPECT_TRUE(contains(written.error().what, file)) << written.error().what;
  }
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_EQ(testing::load(folder / "old.png"), "old");
}

}  // namespace
}  // namespace fye
