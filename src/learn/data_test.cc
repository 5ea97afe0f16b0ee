#include "learn/data.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "image/file.h"
#include "image/resize.h"
#include "learn/net.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

Picture noise(int width, int height, int channels, uint64_t seed) {
  Picture picture(width, height, channels);
  Random random{seed};
  for (auto& byte : picture.bytes) byte = uint8_t(random.below(256));
  return picture;
}

TEST(MakePair, CropsToWholeCellsAndReduces) {
  const auto pair = make_pair("p", noise(20, 17, 3, 1), 3);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->high.width, 18);
  EXPECT_EQ(pair->high.height, 15);
  EXPECT_EQ(pair->low.bytes, matlab_bicubic(pair->high, 6, 5).bytes);
}

TEST(MakePair, GreyAndAlphaBecomeColour) {
  const auto grey = make_pair("g", noise(6, 6, 2, 2), 2);
  ASSERT_TRUE(grey.ok());
  EXPECT_EQ(grey->high.channels, 3);
  EXPECT_EQ(grey->high.bytes[0], grey->high.bytes[2]);
  EXPECT_EQ(make_pair("a", noise(6, 6, 4, 2), 2)->high.channels, 3);
}

TEST(MakePair, SixteenBitAndTinyAreRefused) {
  EXPECT_FALSE(make_pair("deep", Picture(6, 6, 3, 16), 2).ok());
  EXPECT_FALSE(make_pair("tiny", noise(2, 6, 3, 1), 3).ok());
}

// Each patch must be the reduction's own neighbourhood: with a picture whose low pixel is a function of
// place, the high cells that come with it are those of the same place, whatever the turn.
TEST(DrawBatch, CellsBelongToTheirPixels) {
  const int scale = 3;
  PicturePair pair{"places", Picture(60, 48, 3), Picture(20, 16, 3)};
  const auto fill = [](Picture& picture, int cell) {
    for (int y = 0; y < picture.height; ++y)
      for (int x = 0; x < picture.width; ++x) {
        uint8_t* p = picture.u8() + (size_t(y) * picture.width + x) * 3;
        p[0] = uint8_t(x / cell * 10), p[1] = uint8_t(y / cell * 10);
        p[2] = uint8_t(cell == 1 ? 0 : y % cell * cell + x % cell);
      }
  };
  fill(pair.low, 1);
  fill(pair.high, scale);
  Random random{4};
  std::set<std::vector<int>> orders;
  for (int i = 0; i < 60; ++i) {
    const auto batch = draw_batch({pair}, scale, 2, 8, random);
    ASSERT_EQ(batch.cells.sizes(), torch::IntArrayRef({2, 27, 8, 8}));
    std::vector<int> order;
    for (int cell = 0; cell < 9; ++cell) {
      EXPECT_TRUE(batch.cells.slice(1, 3 * cell, 3 * cell + 2).equal(batch.low.slice(1, 0, 2)));
      order.push_back(batch.cells[0][3 * cell + 2][0][0].item<int>());
    }
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 8u);  // all flips and transpositions occur
}

TEST(DrawBatch, SameStateSamePatches) {
  const std::vector<PicturePair> pairs{*make_pair("a", noise(90, 90, 3, 1), 2),
                                       *make_pair("b", noise(60, 80, 3, 2), 2)};
  Random one{9}, two{9};
  EXPECT_TRUE(draw_batch(pairs, 2, 4, 16, one).cells.equal(draw_batch(pairs, 2, 4, 16, two).cells));
  EXPECT_EQ(one.state, two.state);
}

class LoadFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    path = fs::temp_directory_path() / ("fye_learn_pictures." + std::to_string(getpid()));
    fs::remove_all(path);
    fs::create_directories(path);
  }
  void TearDown() override { fs::remove_all(path); }
  fs::path path;
};

TEST_F(LoadFolder, HoldsOutAndRefusesDrawings) {
  for (int i = 0; i < 17; ++i)
    ASSERT_TRUE(
        write_picture(noise(40, 40, 3, i + 1), path / ("photo" + std::to_string(10 + i) + ".png")).ok());
  ASSERT_TRUE(write_picture(Picture(40, 40, 3), path / "a plot.png").ok());
  const auto set = load_training_set(path, {}, 2);
  ASSERT_TRUE(set.ok()) << set.error().text();
  EXPECT_EQ(set->validation.size(), 1u);
  EXPECT_EQ(set->train.size(), 16u * 3);  // each also at 3/4 and 1/2
  ASSERT_EQ(set->refused.size(), 1u);
  EXPECT_NE(set->refused[0].find("a plot.png"), std::string::npos);
  for (const auto& pair : set->train) EXPECT_NE(pair.name, set->validation[0].name);
}

TEST_F(LoadFolder, NothingToTrainOnIsAnError) {
  EXPECT_FALSE(load_training_set(path, {}, 3).ok());
  EXPECT_FALSE(load_training_set(path / "absent", {}, 3).ok());
}

}  // namespace
}  // namespace fye
