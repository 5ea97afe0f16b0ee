#include "runtime/film_work.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace fye {
namespace {

namespace fs = std::filesystem;

class FilmWorkTest : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("fye_film_work_" + std::to_string(getpid()));
  fs::path output_ = folder_ / "big.mp4";
  Json identity_ = {{"film", "a"}, {"crf", 18}};
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  static void finish(FilmWork& work, int64_t number, int64_t frames) {
    const auto file = work.begin_segment(number);
    ASSERT_TRUE(file) << file.error().text();
    ASSERT_EQ(write(file->get(), "abc", 3), 3);
    ASSERT_TRUE(work.finish_segment(number, frames));
  }
  size_t entries() const {
    return size_t(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
};

TEST_F(FilmWorkTest, GoesOnAfterWhatIsFinished) {
  {
    auto work = FilmWork::open(output_, identity_);
    ASSERT_TRUE(work) << work.error().text();
    EXPECT_TRUE(work->segments().empty());
    finish(*work, 0, 48);
    finish(*work, 1, 40);
    ASSERT_TRUE(work->begin_segment(2));
  }
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->segments().size(), 2u);
  EXPECT_EQ(work->frames(), 88);
  EXPECT_FALSE(fs::exists(work->folder() / "000002.part"));
  EXPECT_TRUE(fs::exists(work->folder() / "manifest.json"));
}

TEST_F(FilmWorkTest, NothingFinishedLeavesNothing) {
  {
    auto work = FilmWork::open(output_, identity_);
    ASSERT_TRUE(work);
    ASSERT_TRUE(work->begin_segment(0));
    ASSERT_TRUE(work->begin_film());
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(FilmWorkTest, OtherSettingsHaveAnotherFolder) {
  {
    auto work = FilmWork::open(output_, identity_);
    ASSERT_TRUE(work);
    finish(*work, 0, 48);
  }
  identity_["crf"] = 20;
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  EXPECT_TRUE(work->segments().empty());
  EXPECT_EQ(entries(), 2u);
  finish(*work, 0, 48);
  ASSERT_TRUE(work->begin_film());
  ASSERT_TRUE(work->finish_film());
  EXPECT_EQ(entries(), 1u);  // the film alone
  EXPECT_TRUE(fs::exists(output_));
}

TEST_F(FilmWorkTest, OneAtATime) {
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  const auto second = FilmWork::open(output_, identity_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::resources);
  EXPECT_NE(second.error().what.find("another fye"), std::string::npos);
  // And the failed one took nothing away.
  finish(*work, 0, 1);
}

TEST_F(FilmWorkTest, FinishingLeavesThoseAtWorkAlone) {
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  auto other = FilmWork::open(output_, Json{{"film", "b"}});
  ASSERT_TRUE(other);
  finish(*other, 0, 3);
  finish(*work, 0, 3);
  ASSERT_TRUE(work->begin_film());
  ASSERT_TRUE(work->finish_film());
  EXPECT_TRUE(fs::exists(other->folder()));
}

TEST_F(FilmWorkTest, AGapEndsWhatIsFinished) {
  fs::path folder;
  {
    auto work = FilmWork::open(output_, identity_);
    ASSERT_TRUE(work);
    folder = work->folder();
    for (int64_t i = 0; i < 4; ++i) finish(*work, i, 10);
  }
  fs::remove(folder / "000001-10.seg");
  std::ofstream(folder / "nonsense.seg") << "x";
  std::ofstream(folder / "000001-0.seg") << "x";
  std::ofstream(folder / "000001-.seg") << "x";
  std::ofstream(folder / "-1-10.seg") << "x";
  const auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->frames(), 10);
}

TEST_F(FilmWorkTest, ADroppedSegmentIsDoneAgain) {
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  for (int64_t i = 0; i < 3; ++i) finish(*work, i, 10);
  work->drop_segment(7);
  work->drop_segment(-1);
  EXPECT_EQ(work->frames(), 30);
  work->drop_segment(1);
  EXPECT_EQ(work->frames(), 10);
  finish(*work, 1, 10);
  EXPECT_EQ(work->frames(), 20);
}

TEST_F(FilmWorkTest, OutOfTurnIsRefused) {
  auto work = FilmWork::open(output_, identity_);
  ASSERT_TRUE(work);
  ASSERT_TRUE(work->begin_segment(1));
  EXPECT_FALSE(work->finish_segment(1, 5));
}

TEST_F(FilmWorkTest, NoFolderNoWork) {
  const auto work = FilmWork::open(folder_ / "nowhere/big.mp4", identity_);
  ASSERT_FALSE(work);
  EXPECT_EQ(work.error().code, ErrorCode::bad_input);
  EXPECT_EQ(work.error().hint, "create the folder first");
}

TEST_F(FilmWorkTest, DigestsTellFilmsApart) {
  const auto digest = [&](const std::string& bytes) {
    const fs::path path = folder_ / "film";
    std::ofstream(path, std::ios::binary) << bytes;
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    auto json = film_digest(file.get());
    EXPECT_TRUE(json);
    json->erase("changed");
    return json->dump();
  };
  const std::string film(9'000'000, 'f');
  EXPECT_EQ(digest(film), digest(film));
  std::string last = film, first = film;
  last.back() = 'x';
  first.front() = 'x';
  EXPECT_NE(digest(film), digest(last));
  EXPECT_NE(digest(film), digest(first));
  EXPECT_NE(digest(film), digest(film + "f"));
  EXPECT_NE(digest(""), digest("f"));
}

}  // namespace
}  // namespace fye
