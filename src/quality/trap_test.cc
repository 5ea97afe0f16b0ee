// The known trap: quantisation noise on an upscaled picture makes PIQE better, though nothing got better. The
// guard gives it no credit.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "image/file.h"
#include "image/resize.h"
#include "quality/guard.h"
#include "quality/piqe.h"
#include "quality/psnr.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

// Uniform noise in +-`levels`, as rounding to a step of 2 `levels` leaves it.
Picture quantisation_noise(Picture picture, int levels, unsigned seed) {
  std::mt19937 random(seed);
  for (uint8_t& byte : picture.bytes) {
    const int noise = int(random() % (2 * levels + 1)) - levels;
    byte = static_cast<uint8_t>(std::clamp(byte + noise, 0, 255));
  }
  return picture;
}

// PIQE improves, PSNR against the original does not, and the guard takes the improvement away.
void expect_trap(const Picture& original, int levels) {
  const Picture small = matlab_bicubic(original, original.width / 3, original.height / 3);
  const Picture upscaled = matlab_bicubic(small, original.width, original.height);
  const Picture noisy = quantisation_noise(upscaled, levels, 1);
  const double of_float = piqe(upscaled, 0)->value, of_plan = piqe(noisy, 0)->value;
  EXPECT_LT(of_plan, of_float - 5);
  EXPECT_LT(psnr_y(original, noisy, 3)->value, psnr_y(original, upscaled, 3)->value);
  EXPECT_EQ(guarded(of_plan, of_float, Better::lower), of_float);
}

// Soft edges and slow waves, of which an upscaling keeps everything but the edges.
TEST(Trap, OnADrawnPicture) {
  Picture picture(192, 144, 3);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = 40 * std::sin(x / 19.0 + c) * std::sin(y / 23.0);
        const int disc = (x / 48 + y / 36) % 2 ? 30 : 0;
        picture.bytes[(size_t(y) * picture.width + x) * 3 + c] = static_cast<uint8_t>(110 + wave + disc);
      }
    }
  }
  expect_trap(picture, 4);
}

TEST(Trap, OnPhotographs) {
  for (const char* name : {"kodak/3.png", "kodak/12.png", "kodak/23.png"}) {
    const auto file = testing::test_data(name);
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no picture at " << file << "; set FYE_DATA";
    const auto original = read_picture(file);
    ASSERT_TRUE(original) << original.error().what;
    SCOPED_TRACE(name);
    expect_trap(*original, 4);
  }
}

TEST(Guard, PassesOnWhatIsWorse) {
  EXPECT_EQ(guarded(60, 50, Better::lower), 60);
  EXPECT_EQ(guarded(30, 31, Better::higher), 30);
}

TEST(Guard, GivesNoCreditBeyondTheFloatNetwork) {
  EXPECT_EQ(guarded(28, 76, Better::lower), 76);
  EXPECT_EQ(guarded(31.2, 31, Better::higher), 31);
}

RC_GTEST_PROP(Guard, NeverBetterThanEither, (int plan, int reference)) {
  RC_ASSERT(guarded(plan, reference, Better::higher) <= std::min(plan, reference));
  RC_ASSERT(guarded(plan, reference, Better::lower) >= std::max(plan, reference));
}

}  // namespace
}  // namespace fye
