#include "runtime/network_input.h"

#include <gtest/gtest.h>

namespace fye {
namespace {

Conventions conventions(float lo, float hi, Conventions::Colour colour, bool bicubic = false) {
  Conventions c;
  c.scale = 2;
  c.lo = lo;
  c.hi = hi;
  c.colour = colour;
  c.bicubic_first = bicubic;
  return c;
}

TEST(NetworkInput, RgbFromZeroIsBytes) {
  Picture picture(2, 1, 4);
  for (int i = 0; i < 8; ++i) picture.u8()[i] = uint8_t(10 * i);
  const NetworkInput input = network_input(picture, conventions(0, 1, Conventions::Colour::rgb));
  EXPECT_EQ(input.map.type, DType::u8);
  EXPECT_FLOAT_EQ(input.map.quant.scale, 1.f / 255);
  EXPECT_EQ(input.map.at<uint8_t>(0, 1)[2], 60);  // alpha is gone
}

TEST(NetworkInput, OtherRangesAndSixteenBitsAreFloats) {
  Picture picture(1, 1, 1, 16);
  picture.u16()[0] = 65535;
  const NetworkInput input = network_input(picture, conventions(-1, 1, Conventions::Colour::rgb));
  EXPECT_EQ(input.map.type, DType::f32);
  EXPECT_EQ(input.map.channels, 3);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(input.map.at<float>(0, 0)[c], 1, 1e-6);
}

TEST(NetworkInput, LumaNetsSeeStudioLuma) {
  Picture white(3, 2, 3);
  std::fill(white.bytes.begin(), white.bytes.end(), uint8_t{255});
  const NetworkInput input = network_input(white, conventions(0, 1, Conventions::Colour::y));
  EXPECT_EQ(input.map.channels, 1);
  EXPECT_NEAR(*input.map.at<float>(1, 2), 235.0 / 255, 1e-6);
}

TEST(NetworkInput, EnlargedFirstWhereTheNetworkWantsIt) {
  const NetworkInput input =
      network_input(Picture(5, 4, 3), conventions(0, 255, Conventions::Colour::y, true));
  EXPECT_EQ(input.map.region.w, 10);
  EXPECT_EQ(input.map.region.h, 8);
}

}  // namespace
}  // namespace fye
