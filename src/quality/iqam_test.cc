#include "quality/iqam.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cmath>
#include <random>
#include <string>

#include "image/file.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

using testing::drawn;
using testing::filled;

// q of the only block of an 8 x 8 picture with B = 4, which begins at (2, 2). All blocks here are smooth
// ones: the class of textured blocks is empty and counts as 1, so Q = q ^ 0.9.
double quality_of(double (*value)(int y, int x)) {
  const Plane plane = drawn(8, 8, [&](int y, int x) { return value(y - 2, x - 2); });
  return std::pow(iqam(plane, 4), 1 / 0.9);
}

// The table of spec/rbqe.md, section 3: the share of highest-order moments, not the absence of edges.
TEST(Iqam, FlatBlockHasNoDetail) {
  EXPECT_NEAR(quality_of([](int, int) { return 127.5; }), 0, 1e-9);
}

TEST(Iqam, RampHasNoDetail) {
  EXPECT_NEAR(quality_of([](int, int x) { return 100 + 2.55 * x; }), 0, 1e-9);
}

TEST(Iqam, StepIsHalf) {
  EXPECT_NEAR(quality_of([](int, int x) { return x < 2 ? 120.0 : 130.0; }), 0.494, 1e-3);
  EXPECT_NEAR(quality_of([](int y, int) { return y < 2 ? 120.0 : 130.0; }), 0.494, 1e-3);
}

TEST(Iqam, CornerIsFull) {
  EXPECT_NEAR(quality_of([](int y, int x) { return 120.0 + (x < 2 ? 10 : 0) + (y < 2 ? 10 : 0); }), 1, 1e-9);
}

TEST(Iqam, NoiseOfOneLevelIsFull) {
  EXPECT_NEAR(quality_of([](int y, int x) { return 127.0 + (y * 5 + x * 3 + y * x) % 2; }), 1, 0.02);
}

TEST(Iqam, BlackBlockCountsAsPerfect) {
  for (const int block : {4, 8}) EXPECT_EQ(iqam(Plane(32, 32), block), 1);
}

// A blur of a blurred block changes little: textured blocks of a blurred picture score lower.
TEST(Iqam, BlurLowersTexturedBlocks) {
  std::mt19937 random(2);
  const Plane sharp = drawn(64, 64, [&](int, int) { return double(random() % 256); });
  const Plane soft = drawn(64, 64, [&](int y, int x) {
    double sum = 0;
    for (int dy = 0; dy < 3; ++dy) {
      for (int dx = 0; dx < 3; ++dx) sum += sharp.at((y + dy) % 64, (x + dx) % 64);
    }
    return std::nearbyint(sum / 9);
  });
  for (const int block : {4, 8}) EXPECT_LT(iqam(soft, block), iqam(sharp, block));
}

TEST(BoundaryStep, ByHand) {
  // Steps of 10 across every line of the grid, none inside: along rows and columns alike.
  const Plane steps = drawn(32, 24, [](int y, int x) { return 10 * (x / 8 + y / 8); });
  EXPECT_NEAR(boundary_step(steps, 8), 10, 1e-12);
  const Plane ramp = drawn(32, 32, [](int y, int x) { return 2 * x + 2 * y; });
  EXPECT_NEAR(boundary_step(ramp, 8), 0, 1e-12);
  const Plane shifted = drawn(32, 32, [](int y, int x) { return 10 * ((x + 4) / 8 + (y + 4) / 8); });
  EXPECT_LT(boundary_step(shifted, 8), 0);
}

TEST(Iqam, ShaveKeepsTheGrid) {
  const Picture picture = testing::noise(64, 48, 3, 1);
  for (const int shave : {1, 5, 8}) {
    EXPECT_EQ(iqam(picture, 8, shave)->value, iqam(shaved(picture, 8), 8, 0)->value);
    EXPECT_EQ(boundary_step(picture, 8, shave)->value, boundary_step(shaved(picture, 8), 8, 0)->value);
  }
}

TEST(Iqam, NeedsTwoBlocksASide) {
  for (const int block : {4, 8}) {
    EXPECT_TRUE(iqam(filled(2 * block, 2 * block, 3, 7), block, 0));
    EXPECT_FALSE(iqam(filled(2 * block - 1, 40, 3, 7), block, 0));
    EXPECT_FALSE(boundary_step(filled(2 * block - 1, 40, 3, 7), block, 0));
    EXPECT_FALSE(iqam(filled(2 * block, 2 * block, 3, 7), block, 1));
  }
}

RC_GTEST_PROP(IqamProperty, LiesBetweenNoneAndAll, (unsigned seed)) {
  const Plane plane =
      testing::plane_of(testing::noise(*rc::gen::inRange(16, 40), *rc::gen::inRange(16, 40), 1, seed));
  for (const int block : {4, 8}) {
    const double q = iqam(plane, block);
    RC_ASSERT(q >= 0);
    RC_ASSERT(q <= 1.5);  // a textured block whose moments a blur turns round may count more than 1
  }
}

// Coarser JPEG, less detail and more blocking: RBQE's five qualities, means over five photographs.
TEST(Iqam, MonotoneInJpegQualityOnKodak) {
  const auto folder = testing::test_data("kodak");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no pictures at " << folder << "; set FYE_DATA";
  const auto file =
      std::filesystem::temp_directory_path() / ("fye_iqam_" + std::to_string(::getpid()) + ".jpg");
  double previous_iqam = 0, previous_step = 1e9;
  for (const int quality : {10, 20, 30, 40, 50}) {
    double detail = 0, step = 0;
    for (const char* name : {"1.png", "5.png", "13.png", "19.png", "23.png"}) {
      const auto picture = read_picture(folder / name);
      ASSERT_TRUE(picture) << picture.error().what;
      ASSERT_TRUE(write_picture(*picture, file, {quality}));
      const auto compressed = read_picture(file);
      ASSERT_TRUE(compressed);
      detail += iqam(*compressed, 8, 0)->value / 5;
      step += boundary_step(*compressed, 8, 0)->value / 5;
    }
    EXPECT_GT(detail, previous_iqam) << quality;
    EXPECT_LT(step, previous_step) << quality;
    previous_iqam = detail;
    previous_step = step;
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace fye
