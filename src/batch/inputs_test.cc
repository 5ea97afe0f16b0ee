#include "batch/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <sstream>

#include "batch/testing_folder.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class Tree : public testing::Test {
 protected:
  Tree() {
    for (const char* file : {"b.png", "a.jpg", "notes.txt", ".hidden.png", "sub/c.webp", "sub/deep/d.TIF",
                             ".secret/e.png", "film.mkv", "sub/README"})
      write(file);
  }
  void write(const fs::path& name) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << "x";
  }
  static std::vector<std::string> names(const Inputs& inputs) {
    std::vector<std::string> all;
    for (const Input& input : inputs.files) all.push_back(input.relative.string());
    return all;
  }
  TestFolder folder;
  const fs::path root = folder.path;
};

TEST_F(Tree, AFolderAloneAndWithItsTree) {
  const auto flat = walk(root, {});
  ASSERT_TRUE(flat);
  EXPECT_THAT(names(*flat), ElementsAre("a.jpg", "b.png", "film.mkv"));
  EXPECT_EQ(flat->ignored, 1u);
  const auto all = walk(root, {.recursive = true, .leave_out = {}});
  ASSERT_TRUE(all);
  EXPECT_THAT(names(*all), ElementsAre("a.jpg", "b.png", "film.mkv", "sub/c.webp", "sub/deep/d.TIF"));
  EXPECT_EQ(all->ignored, 2u);
  EXPECT_EQ(all->files[3].path, root / "sub/c.webp");
}

TEST_F(Tree, TheOutputFolderIsLeftOut) {
  const auto all = walk(root, {.recursive = true, .leave_out = root / "sub/deep"});
  ASSERT_TRUE(all);
  EXPECT_THAT(names(*all), ElementsAre("a.jpg", "b.png", "film.mkv", "sub/c.webp"));
}

TEST_F(Tree, LinksToFilesAreFollowedLoopsAreNot) {
  fs::create_symlink("../b.png", root / "sub/link.png");
  fs::create_directory_symlink("..", root / "sub/up");
  fs::create_symlink("nowhere", root / "dangling.png");
  const auto all = walk(root, {.recursive = true, .leave_out = {}});
  ASSERT_TRUE(all);
  EXPECT_THAT(names(*all), ElementsAre("a.jpg", "b.png", "film.mkv", "sub/c.webp", "sub/deep/d.TIF", "sub/link.png"));
}

TEST_F(Tree, NoFolderNoInputs) {
  EXPECT_FALSE(walk(root / "missing", {}));
  EXPECT_FALSE(walk(root / "b.png", {}));
}

TEST_F(Tree, Patterns) {
  EXPECT_TRUE(is_pattern((root / "*.png").string()));
  EXPECT_FALSE(is_pattern((root / "b.png").string()));
  write("odd[1].png");
  EXPECT_FALSE(is_pattern((root / "odd[1].png").string())) << "there is a file of that very name";
  const auto some = expand((root / "{a,b}.*").string(), {});
  ASSERT_TRUE(some);
  EXPECT_THAT(names(*some), ElementsAre("a.jpg", "b.png"));
  const auto folders = expand((root / "s*").string(), {.recursive = true, .leave_out = {}});
  ASSERT_TRUE(folders);
  EXPECT_THAT(names(*folders), ElementsAre("sub/c.webp", "sub/deep/d.TIF"));
  EXPECT_FALSE(expand((root / "*.gif").string(), {}));
}

TEST(Lists, ALineANameOrZeroBytes) {
  const auto read = [](const std::string& text) {
    std::istringstream stream(text);
    return *read_list(stream, "list");
  };
  EXPECT_THAT(read("a b.png\r\n\n  c.png\nlast"), ElementsAre("a b.png", "  c.png", "last"));
  EXPECT_THAT(read(std::string("one\ntwo\0three\0", 14)), ElementsAre("one\ntwo", "three"));
  EXPECT_THAT(read(""), IsEmpty());
  std::istringstream stream("good.png\n" + std::string(5000, 'x'));
  const auto bad = read_list(stream, "list.txt");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().what, testing::HasSubstr("list.txt: line 2"));
}

RC_GTEST_PROP(Lists, WhatFindPrintsComesBack, (std::vector<std::string> names)) {
  std::string text;
  std::vector<std::string> wanted;
  for (std::string name : names) {
    std::erase(name, '\0');
    if (name.empty()) continue;
    text += name + std::string(1, '\0');
    wanted.push_back(name);
  }
  std::istringstream stream(text);
  const auto read = read_list(stream, "list");
  RC_ASSERT(read);
  RC_ASSERT(*read == wanted);
}

}  // namespace
}  // namespace fye
