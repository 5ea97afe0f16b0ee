#include "base/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("fye_file_test_" + std::to_string(getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  size_t count() const { return std::distance(fs::directory_iterator(path), fs::directory_iterator()); }
};

TEST(File, RoundTripAndLimit) {
  Folder folder;
  ASSERT_TRUE(write_file(folder.path / "a.bin", std::string("x\0y", 3)));
  auto back = read_file(folder.path / "a.bin", 3);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, std::string("x\0y", 3));
  EXPECT_EQ(read_file(folder.path / "a.bin", 2).error().code, ErrorCode::bad_input);
  EXPECT_EQ(read_file(folder.path, 100).error().code, ErrorCode::bad_input);
}

TEST(File, AbandonedWriteLeavesOldFileAndNoTemporary) {
  Folder folder;
  ASSERT_TRUE(write_file(folder.path / "a.txt", "old"));
  { ASSERT_TRUE(PendingFile::create(folder.path / "a.txt")); }
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_EQ(*read_file(folder.path / "a.txt", 100), "old");
}

TEST(File, MissingFolderIsNamed) {
  auto status = write_file("/nowhere/at/all.png", "x");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().what.find("/nowhere/at/all.png"), std::string::npos);
  EXPECT_FALSE(status.error().hint.empty());
}

TEST(Json, BadAndDeepFilesAreRefused) {
  Folder folder;
  ASSERT_TRUE(write_file(folder.path / "bad.json", "{\"a\": "));
  EXPECT_FALSE(read_json(folder.path / "bad.json"));
  ASSERT_TRUE(write_file(folder.path / "deep.json", std::string(1000, '[') + std::string(1000, ']')));
  EXPECT_FALSE(read_json(folder.path / "deep.json"));
  ASSERT_TRUE(write_json(folder.path / "good.json", Json{{"a", 1}}));
  EXPECT_EQ((*read_json(folder.path / "good.json"))["a"], 1);
}

}  // namespace
}  // namespace fye
