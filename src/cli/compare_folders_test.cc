#include "cli/compare_folders.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "image/file.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

class MatchFolders : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("fye_match_" + std::to_string(::getpid()));
    fs::create_directories(root_ / "a");
    fs::create_directories(root_ / "b");
  }
  void TearDown() override { fs::remove_all(root_); }

  void file(const std::string& name, const std::string& text = "") {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  Result<MatchedFolders> match() { return match_folders(root_ / "a", root_ / "b"); }
  void expect_error(const std::string& part) {
    const auto matched = match();
    ASSERT_FALSE(matched);
    EXPECT_EQ(matched.error().code, ErrorCode::bad_input);
    EXPECT_NE(matched.error().what.find(part), std::string::npos) << matched.error().what;
  }

  fs::path root_;
};

TEST_F(MatchFolders, ByNameWithoutExtension) {
  for (const char* name : {"a/two.png", "a/one.png", "a/three.tif", "b/one.jpg", "b/two.WEBP", "b/three.png"})
    file(name);
  const auto matched = match();
  ASSERT_TRUE(matched) << matched.error().what;
  ASSERT_EQ(matched->pairs.size(), 3u);
  EXPECT_EQ(matched->pairs[0], std::pair(root_ / "a/one.png", root_ / "b/one.jpg"));
  EXPECT_EQ(matched->pairs[1], std::pair(root_ / "a/three.tif", root_ / "b/three.png"));
  EXPECT_EQ(matched->pairs[2], std::pair(root_ / "a/two.png", root_ / "b/two.WEBP"));
  EXPECT_TRUE(matched->alone.empty());
}

TEST_F(MatchFolders, WhatHasNoPartnerIsNamed) {
  for (const char* name : {"a/both.png", "b/both.png", "a/left.png", "b/right.jpg"}) file(name);
  const auto matched = match();
  ASSERT_TRUE(matched);
  EXPECT_EQ(matched->pairs.size(), 1u);
  EXPECT_EQ(matched->alone, (std::vector<fs::path>{root_ / "a/left.png", root_ / "b/right.jpg"}));
}

TEST_F(MatchFolders, OtherFilesArePassedOver) {
  for (const char* name :
       {"a/x.png", "b/x.png", "a/notes.txt", "b/scores.csv", "a/.hidden.png", "a/sub/y.png"})
    file(name, "words");
  fs::create_directories(root_ / "b/folder.png");
  const auto matched = match();
  ASSERT_TRUE(matched);
  EXPECT_EQ(matched->pairs.size(), 1u);
  EXPECT_TRUE(matched->alone.empty());
}

TEST_F(MatchFolders, ContentTellsWhereTheExtensionDoesNot) {
  ASSERT_TRUE(write_picture(Picture(4, 4, 3), root_ / "a/x.png"));
  fs::rename(root_ / "a/x.png", root_ / "a/x.bin");
  file("b/x.png");
  const auto matched = match();
  ASSERT_TRUE(matched) << matched.error().what;
  EXPECT_EQ(matched->pairs[0].first, root_ / "a/x.bin");
}

TEST_F(MatchFolders, APipeDoesNotHang) {
  file("a/x.png");
  file("b/x.png");
  ASSERT_EQ(::mkfifo((root_ / "b/pipe.png").c_str(), 0600), 0);
  const auto matched = match();
  ASSERT_TRUE(matched);
  EXPECT_TRUE(matched->alone.empty());
}

TEST_F(MatchFolders, TwoOfOneNameAreRefused) {
  for (const char* name : {"a/x.png", "b/x.png", "b/x.jpg"}) file(name);
  expect_error("x.jpg and x.png have the same name");
}

TEST_F(MatchFolders, FoldersWithoutPicturesAreRefused) {
  file("a/x.png");
  expect_error("b: there are no pictures");
}

TEST_F(MatchFolders, NoPairIsAnError) {
  file("a/x.png");
  file("b/y.png");
  expect_error("no picture has a partner");
}

TEST_F(MatchFolders, AMissingFolderIsNamed) {
  file("a/x.png");
  fs::remove_all(root_ / "b");
  expect_error((root_ / "b").string());
}

}  // namespace
}  // namespace fye
