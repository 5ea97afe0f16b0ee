#include "batch/manifest.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>

#include "base/file.h"
#include "batch/testing_folder.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

Record record(const std::string& output, bool done = false) {
  Record made{output, "in/" + output, {10, 20}, done ? "digest" : "", "settings", {}};
  if (done) made.output_stamp = Stamp{30, 40};
  return made;
}

TEST(Manifest, BegunDoneAndUndoneAreReadBack) {
  const TestFolder folder;
  {
    auto manifest = Manifest::open(folder.path);
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->size(), 0u);
    const std::vector<Record> begun = {record("a.png"), record("b.png"), record("c.png")};
    ASSERT_TRUE(manifest->begin(begun, {{"settings", {{"scale", 3}}}}));
    ASSERT_TRUE(manifest->done(record("b.png", true)));
    ASSERT_TRUE(manifest->undo("c.png"));
  }
  auto manifest = Manifest::open(folder.path);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->size(), 2u);
  EXPECT_FALSE(manifest->find("a.png")->output_stamp);
  EXPECT_EQ(manifest->find("b.png")->output_stamp, (Stamp{30, 40}));
  EXPECT_EQ(manifest->find("c.png"), nullptr);
  const auto text = read_file(folder.path / kManifestName, 1 << 20);
  EXPECT_NE(text->find("\"scale\":3"), std::string::npos) << "people can read what the settings were";
}

TEST(Manifest, UndoBringsBackWhatWasThereBefore) {
  const TestFolder folder;
  auto manifest = Manifest::open(folder.path);
  const std::vector<Record> one = {record("a.png")};
  ASSERT_TRUE(manifest->begin(one, {}));
  ASSERT_TRUE(manifest->done(record("a.png", true)));
  ASSERT_TRUE(manifest->begin(one, {}));
  EXPECT_FALSE(manifest->find("a.png")->output_stamp);
  ASSERT_TRUE(manifest->undo("a.png"));
  EXPECT_EQ(manifest->find("a.png")->output_stamp, (Stamp{30, 40}));
}

TEST(Manifest, OneProcessAtATime) {
  const TestFolder folder;
  auto first = Manifest::open(folder.path);
  const auto second = Manifest::open(folder.path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::resources);
  { const Manifest gone = *std::move(first); }
  EXPECT_TRUE(Manifest::open(folder.path));
}

TEST(Manifest, FromTheFutureIsRefused) {
  const TestFolder folder;
  std::ofstream(folder.path / kManifestName) << "{\"fye_manifest\": 99}\n";
  EXPECT_FALSE(Manifest::open(folder.path));
}

// Torn anywhere by a crash: each record is there whole or not at all, and nothing fails.
TEST(Manifest, TornAtEveryByte) {
  const TestFolder folder;
  {
    auto manifest = Manifest::open(folder.path);
    const std::vector<Record> begun = {record("a.png"), record("b.png")};
    ASSERT_TRUE(manifest->begin(begun, {}));
    ASSERT_TRUE(manifest->done(record("a.png", true)));
  }
  const auto whole = read_file(folder.path / kManifestName, 1 << 20);
  for (size_t length = 0; length <= whole->size(); ++length) {
    ASSERT_TRUE(write_file(folder.path / kManifestName, whole->substr(0, length)));
    const auto manifest = Manifest::open(folder.path);
    ASSERT_TRUE(manifest);
    const Record* a = manifest->find("a.png");
    EXPECT_TRUE(!a || !a->output_stamp || *a->output_stamp == (Stamp{30, 40}));
    EXPECT_LE(manifest->size(), 2u);
  }
}

RC_GTEST_PROP(Manifests, AnyNameComesBack, (std::string output, std::string input)) {
  RC_PRE(!output.empty());
  const TestFolder folder;
  Record made = record("x", true);
  made.output = output, made.input = input;
  {
    auto manifest = Manifest::open(folder.path);
    RC_ASSERT(manifest->begin(std::span(&made, 1), {}));
    RC_ASSERT(manifest->done(made));
  }
  const auto manifest = Manifest::open(folder.path);
  RC_ASSERT(manifest && manifest->find(output));
  RC_ASSERT(manifest->find(output)->input == input);
}

TEST(Digests, TellContentAndSize) {
  const TestFolder folder;
  const auto file = [&](const std::string& text) {
    std::ofstream(folder.path / "f") << text;
    return *content_digest(folder.path / "f");
  };
  EXPECT_EQ(file("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  EXPECT_NE(file("abd"), file("abc"));
  EXPECT_FALSE(content_digest(folder.path / "missing"));
  // A sparse file of 100 MB is sampled, and its size counts.
  fs::resize_file(folder.path / "f", 100 << 20);
  const auto large = *content_digest(folder.path / "f");
  fs::resize_file(folder.path / "f", (100 << 20) + 1);
  EXPECT_NE(*content_digest(folder.path / "f"), large);
}

}  // namespace
}  // namespace fye
