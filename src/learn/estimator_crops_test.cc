#include "learn/estimator_crops.h"

#include <gtest/gtest.h>

#include <fstream>

#include "image/testing_pictures.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
using testing::Folder;

const CropHeader kHeader{16, 2, 3, std::string(40, 'd')};

std::vector<uint8_t> pixels(int seed) {
  std::vector<uint8_t> values(2 * 256);
  for (size_t i = 0; i < values.size(); ++i) values[i] = uint8_t(i * 7 + size_t(seed));
  return values;
}

std::vector<CropInfo> infos(int block) {
  CropInfo first{.score = 12.5f + float(block), .place = uint32_t(block)};
  CropInfo second{.score = 77.25f, .place = uint32_t(block), .plan = 300, .net = 1, .kind = CropKind::mixed};
  second.held_picture = block == 2, second.held_plan = true;
  return {first, second};
}

Status fill(const fs::path& path, int from, int to) {
  for (int block = from; block < to; ++block)
    if (auto added = append_block(path, infos(block), pixels(block)); !added) return added;
  return {};
}

TEST(Crops, ComeBackAsTheyWere) {
  const Folder folder;
  const auto path = folder / "crops.bin";
  ASSERT_EQ(*begin_crops(path, kHeader), 0);
  ASSERT_TRUE(fill(path, 0, 3).ok());
  const auto set = load_crops(path);
  ASSERT_TRUE(set.ok()) << set.error().text();
  ASSERT_EQ(set->crops.size(), 6u);
  EXPECT_EQ(set->side, 16);
  const CropInfo& last = set->crops[5];
  EXPECT_EQ(last.score, 77.25f);
  EXPECT_EQ(last.place, 2u);
  EXPECT_EQ(last.plan, 300);
  EXPECT_EQ(last.net, 1);
  EXPECT_EQ(last.kind, CropKind::mixed);
  EXPECT_TRUE(last.held_picture && last.held_plan);
  EXPECT_EQ(set->crops[0].score, 12.5f);
  EXPECT_FALSE(set->crops[0].held_picture || set->crops[0].held_plan);
  ASSERT_EQ(set->pixels.sizes(), torch::IntArrayRef({6, 1, 16, 16}));
  EXPECT_EQ(set->pixels[5][0][15][15].item<int>(), pixels(2)[511]);
  EXPECT_EQ(set->pixels[4][0][0][1].item<int>(), pixels(2)[1]);
}

TEST(Crops, AnUnfinishedBlockIsMadeAgain) {
  const Folder folder;
  const auto path = folder / "crops.bin", whole = folder / "whole.bin";
  for (const auto& each : {path, whole}) ASSERT_TRUE(begin_crops(each, kHeader).ok());
  ASSERT_TRUE(fill(path, 0, 2).ok());
  ASSERT_TRUE(fill(whole, 0, 3).ok());
  fs::resize_file(path, fs::file_size(path) - 5);
  EXPECT_FALSE(load_crops(path).ok());
  ASSERT_EQ(*begin_crops(path, kHeader), 1);
  ASSERT_TRUE(fill(path, 1, 3).ok());
  EXPECT_EQ(*begin_crops(path, kHeader), 3);
  EXPECT_EQ(testing::load(path), testing::load(whole));
}

TEST(Crops, AnUnfinishedHeaderIsBegunAgain) {
  const Folder folder;
  testing::store(folder / "crops.bin", "fyecr");
  EXPECT_EQ(*begin_crops(folder / "crops.bin", kHeader), 0);
  EXPECT_EQ(fs::file_size(folder / "crops.bin"), 64u);
}

TEST(Crops, OtherCropsAreNotAddedTo) {
  const Folder folder;
  const auto path = folder / "crops.bin";
  ASSERT_TRUE(begin_crops(path, kHeader).ok());
  auto other = kHeader;
  other.digest[0] = 'e';
  const auto refused = begin_crops(path, other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  other = kHeader;
  other.side = 32;
  EXPECT_FALSE(begin_crops(path, other).ok());
}

TEST(Crops, WhatCantBeReadIsRefused) {
  const Folder folder;
  EXPECT_FALSE(load_crops(folder / "absent.bin").ok());
  testing::store(folder / "other.bin", std::string(200, 'x'));
  const auto refused = load_crops(folder / "other.bin");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("not a file of crops"), std::string::npos);

  const auto path = folder / "crops.bin";
  ASSERT_TRUE(begin_crops(path, kHeader).ok());
  ASSERT_TRUE(fill(path, 0, 3).ok());
  auto bytes = testing::load(path);
  bytes[64 + 11] = 99;  // the first crop's kind
  testing::store(path, bytes);
  EXPECT_FALSE(load_crops(path).ok());
  // Sizes that would overflow.
  for (int i = 12; i < 24; ++i) bytes[i] = char(0xff);
  testing::store(path, bytes);
  EXPECT_FALSE(load_crops(path).ok());
  EXPECT_FALSE(begin_crops(folder / "no", kHeader).ok() &&
               begin_crops(folder / "no/where.bin", kHeader).ok());
}

}  // namespace
}  // namespace fye
