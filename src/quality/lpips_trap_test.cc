// The known trap with LPIPS as the witness: noise as quantisation leaves it makes PIQE better while LPIPS
// says that the picture got worse - and where there is little noise LPIPS falls for it too. The guard gives
// no credit for either.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "image/file.h"
#include "image/resize.h"
#include "quality/guard.h"
#include "quality/lpips.h"
#include "quality/piqe.h"
#include "quality/testing_pictures.h"

namespace fye {
namespace {

// Uniform noise in +-`levels`, as rounding to a step of 2 `levels` leaves it.
Picture with_noise(Picture picture, int levels) {
  std::mt19937 random(1);
  for (uint8_t& byte : picture.bytes)
    byte = static_cast<uint8_t>(std::clamp(byte + int(random() % (2 * levels + 1)) - levels, 0, 255));
  return picture;
}

struct Scores {
  double piqe, lpips, fidelity;  // fidelity: LPIPS against the float upscaling instead of the original
};

// A photograph halved, doubled, and with noise of 0, 2 and 8 levels; empty where there is no photograph.
class LpipsTrap : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    const Picture any = testing::noise(40, 40, 3, 1);
    if (const auto score = lpips_alex(any, any, 0); !score) GTEST_SKIP() << "LPIPS: " << score.error().text();
    const auto file = testing::test_data(("kodak/" + std::to_string(GetParam()) + ".png").c_str());
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no picture at " << file << "; set FYE_DATA";
    const Picture original = *read_picture(file);
    const Picture half = matlab_bicubic(original, original.width / 2, original.height / 2);
    const Picture upscaled = matlab_bicubic(half, original.width, original.height);
    for (Scores* scores : {&clean, &little, &much}) {
      const int levels = scores == &clean ? 0 : scores == &little ? 2 : 8;
      const Picture picture = with_noise(upscaled, levels);
      *scores = {piqe(picture, 0)->value, lpips_alex(original, picture, 0)->value,
                 lpips_alex(upscaled, picture, 0)->value};
    }
  }
  Scores clean, little, much;
};

// LPIPS to the original falls for a little noise, which is why it doesn't guide plans either; LPIPS to the
// float picture does not.
TEST_P(LpipsTrap, PiqeImprovesWhileLpipsGetsWorse) {
  EXPECT_LT(much.piqe, clean.piqe - 10);
  EXPECT_GT(much.lpips, clean.lpips * 1.1);
  EXPECT_EQ(guarded(much.piqe, clean.piqe, Better::lower), clean.piqe);
  EXPECT_EQ(guarded(much.lpips, clean.lpips, Better::lower), much.lpips);

  EXPECT_LT(little.lpips, clean.lpips);
  EXPECT_EQ(guarded(little.lpips, clean.lpips, Better::lower), clean.lpips);

  EXPECT_EQ(clean.fidelity, 0);
  EXPECT_GT(little.fidelity, 0.001);
  EXPECT_GT(much.fidelity, 2 * little.fidelity);
}

INSTANTIATE_TEST_SUITE_P(Kodak, LpipsTrap, ::testing::Values(3, 7, 12, 23));

}  // namespace
}  // namespace fye
