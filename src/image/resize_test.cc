#include "image/resize.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "image/testing_pictures.h"

namespace fye {
namespace {

using testing::flipped;
using testing::noise;
using testing::pattern;

Picture row_of(std::vector<uint8_t> bytes) {
  Picture picture(static_cast<int>(bytes.size()), 1, 1);
  picture.bytes = std::move(bytes);
  return picture;
}

int largest_difference(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.samples(), b.samples());
  int most = 0;
  for (size_t i = 0; i < a.samples(); ++i) {
    const int difference = a.bits == 16 ? a.u16()[i] - b.u16()[i] : a.u8()[i] - b.u8()[i];
    most = std::max(most, std::abs(difference));
  }
  return most;
}

// Halving: the kernel at distances .25, .75, 1.25, 1.75 (times 1/2) is 111, 29, -9, -3 over 256. For the step
// below that gives 255 * (29 - 9 - 3) / 256 = 16.93 and its mirror image 238.07; the outer two overshoot and
// are clamped.
TEST(MatlabBicubic, StepHalvedByHand) {
  const Picture half = matlab_bicubic(row_of({0, 0, 0, 0, 255, 255, 255, 255}), 4, 1);
  EXPECT_EQ(half.bytes, (std::vector<uint8_t>{0, 17, 238, 255}));
}

// Doubling: outputs lie .25, .75, 1.25, 1.75 off the impulse.
TEST(MatlabBicubic, ImpulseDoubledByHand) {
  const Picture twice = matlab_bicubic(row_of({0, 0, 100, 0, 0}), 10, 1);
  // k(.25) = .8671875, k(.75) = .2265625, k(1.25) = -.0703125, k(1.75) = -.0234375
  EXPECT_EQ(twice.bytes, (std::vector<uint8_t>{0, 0, 0, 23, 87, 87, 23, 0, 0, 0}));
}

// The one output weighs both sides alike: 2.5 becomes 3, where half to even would give 2.
TEST(MatlabBicubic, RoundsHalfUp) { EXPECT_EQ(matlab_bicubic(row_of({2, 3}), 1, 1).bytes[0], 3); }

struct Published {
  int width, height, to_width, to_height;
  std::vector<uint8_t> expected;
};

// From a numpy run of the reference that equals the 157 published files (metrics.md, section 7), on
// testing::pattern.
TEST(MatlabBicubic, EqualsReference) {
  const Published cases[] = {
      {12, 9, 4, 3, {82, 111, 119, 106, 136, 129, 118, 135, 114, 148, 157, 105}},
      {6, 4, 12, 8, {0,   4,   17,  52,  111, 102, 26,  66,  223, 220, 60,  0,   0,   7,   22,  59,
                     118, 111, 40,  60,  172, 170, 56,  3,   7,   15,  32,  71,  132, 131, 69,  45,
                     62,  62,  47,  40,  24,  32,  50,  93,  160, 163, 102, 58,  32,  36,  71,  87,
                     49,  58,  78,  126, 202, 207, 139, 96,  79,  89,  125, 142, 86,  97,  122, 152,
                     185, 191, 170, 153, 142, 133, 125, 122, 133, 150, 184, 170, 107, 115, 193, 228,
                     218, 166, 71,  28,  155, 173, 212, 178, 72,  81,  204, 255, 253, 181, 46,  0}},
      {10, 7, 7, 5, {7,  90, 83, 96,  89,  165, 145, 55,  156, 109, 83,  183, 84,  77,  134, 136, 205, 127,
                     94, 65, 74, 101, 158, 84,  102, 119, 165, 190, 155, 119, 173, 126, 164, 122, 156}},
      {5, 6, 9, 4, {1,  9,   28,  85,  132, 71,  36,  122, 175, 59,  72,  98,  147, 187, 157, 115, 91, 79,
                    95, 116, 150, 138, 121, 167, 205, 195, 186, 109, 133, 174, 170, 141, 95,  59,  56, 57}},
      {9, 8, 2, 2, {101, 114, 134, 136}},
      {3, 1, 2, 3, {6, 95, 6, 95, 6, 95}},
  };
  for (const Published& c : cases) {
    const Picture result = matlab_bicubic(pattern(c.width, c.height, 1), c.to_width, c.to_height);
    EXPECT_EQ(result.width, c.to_width);
    EXPECT_EQ(result.height, c.to_height);
    EXPECT_EQ(result.bytes, c.expected) << c.width << "x" << c.height;
  }
}

TEST(MatlabBicubic, MetadataComesAlong) {
  Picture picture = pattern(4, 4, 3);
  picture.metadata.icc = "profile";
  EXPECT_EQ(matlab_bicubic(picture, 2, 2).metadata.icc, "profile");
  EXPECT_EQ(resample_bicubic(picture, 2, 2).metadata.icc, "profile");
}

RC_GTEST_PROP(MatlabBicubic, ChannelsDoNotMix, ()) {
  const int channels = *rc::gen::inRange(2, 5), width = *rc::gen::inRange(1, 12),
            height = *rc::gen::inRange(1, 12);
  const int to_width = *rc::gen::inRange(1, 20), to_height = *rc::gen::inRange(1, 20);
  const Picture picture = noise(width, height, channels, 8, *rc::gen::arbitrary<unsigned>());
  const Picture together = matlab_bicubic(picture, to_width, to_height);
  const int c = *rc::gen::inRange(0, channels);
  Picture single(width, height, 1);
  for (size_t i = 0; i < single.samples(); ++i) single.bytes[i] = picture.bytes[i * channels + c];
  const Picture alone = matlab_bicubic(single, to_width, to_height);
  for (size_t i = 0; i < alone.samples(); ++i) RC_ASSERT(alone.bytes[i] == together.bytes[i * channels + c]);
}

RC_GTEST_PROP(MatlabBicubic, ConstantStaysConstant, (uint8_t value)) {
  Picture picture(*rc::gen::inRange(1, 15), *rc::gen::inRange(1, 15), 1);
  std::fill(picture.bytes.begin(), picture.bytes.end(), value);
  const Picture result = matlab_bicubic(picture, *rc::gen::inRange(1, 30), *rc::gen::inRange(1, 30));
  for (const uint8_t byte : result.bytes) RC_ASSERT(byte == value);
}

RC_GTEST_PROP(MatlabBicubic, SameSizeIsIdentity, (unsigned seed)) {
  const Picture picture = noise(*rc::gen::inRange(1, 15), *rc::gen::inRange(1, 15), 3, 8, seed);
  RC_ASSERT(matlab_bicubic(picture, picture.width, picture.height).bytes == picture.bytes);
}

// Weights of factors 2 and 1/2 are dyadic, so that sums are exact in any order.
RC_GTEST_PROP(MatlabBicubic, FlipsCommute, (unsigned seed, bool sideways, bool up)) {
  const int width = 2 * *rc::gen::inRange(1, 9), height = 2 * *rc::gen::inRange(1, 9);
  const Picture picture = noise(width, height, 3, 8, seed);
  const int to_width = up ? 2 * width : width / 2, to_height = up ? 2 * height : height / 2;
  RC_ASSERT(matlab_bicubic(flipped(picture, sideways), to_width, to_height).bytes ==
            flipped(matlab_bicubic(picture, to_width, to_height), sideways).bytes);
}

RC_GTEST_PROP(ResampleBicubic, ConstantStaysConstant, (uint16_t value, bool deep)) {
  Picture picture(*rc::gen::inRange(1, 15), *rc::gen::inRange(1, 15), 2, deep ? 16 : 8);
  if (deep) {
    for (size_t i = 0; i < picture.samples(); ++i) picture.u16()[i] = i % 2 ? 65535 : value;
  } else {
    for (size_t i = 0; i < picture.samples(); ++i)
      picture.u8()[i] = static_cast<uint8_t>(i % 2 ? 255 : value);
  }
  const Picture result = resample_bicubic(picture, *rc::gen::inRange(1, 30), *rc::gen::inRange(1, 30));
  for (size_t i = 0; i < result.samples(); ++i) {
    RC_ASSERT((deep ? result.u16()[i] : result.u8()[i]) ==
              (deep ? picture.u16()[i % 2] : picture.u8()[i % 2]));
  }
}

RC_GTEST_PROP(ResampleBicubic, SameSizeIsIdentityWhereVisible, (unsigned seed, bool deep)) {
  const int channels = *rc::gen::inRange(1, 5);
  Picture picture = noise(*rc::gen::inRange(1, 12), *rc::gen::inRange(1, 12), channels, deep ? 16 : 8, seed);
  const Picture result = resample_bicubic(picture, picture.width, picture.height);
  for (size_t i = 0; i < picture.samples(); ++i) {
    const size_t alpha = i / channels * channels + channels - 1;
    const bool hidden = picture.has_alpha() && (deep ? picture.u16()[alpha] : picture.u8()[alpha]) == 0;
    if (!hidden) RC_ASSERT((deep ? result.u16()[i] == picture.u16()[i] : result.u8()[i] == picture.u8()[i]));
  }
}

RC_GTEST_PROP(ResampleBicubic, FlipsCommuteWithinALevel, (unsigned seed, bool sideways)) {
  const Picture picture = noise(*rc::gen::inRange(1, 14), *rc::gen::inRange(1, 14), 3, 8, seed);
  const int to_width = *rc::gen::inRange(1, 30), to_height = *rc::gen::inRange(1, 30);
  const Picture a = resample_bicubic(flipped(picture, sideways), to_width, to_height);
  RC_ASSERT(largest_difference(a, flipped(resample_bicubic(picture, to_width, to_height), sideways)) <= 1);
}

// Sixteen bits carry the same picture: v * 257 in, v * 257 out but for the finer rounding.
RC_GTEST_PROP(ResampleBicubic, DepthsAgree, (unsigned seed)) {
  const Picture narrow = noise(*rc::gen::inRange(1, 14), *rc::gen::inRange(1, 14), 3, 8, seed);
  Picture wide(narrow.width, narrow.height, 3, 16);
  for (size_t i = 0; i < narrow.samples(); ++i) wide.u16()[i] = static_cast<uint16_t>(narrow.u8()[i] * 257);
  const int to_width = *rc::gen::inRange(1, 30), to_height = *rc::gen::inRange(1, 30);
  const Picture a = resample_bicubic(narrow, to_width, to_height),
                b = resample_bicubic(wide, to_width, to_height);
  for (size_t i = 0; i < a.samples(); ++i) RC_ASSERT(std::abs(a.u8()[i] - b.u16()[i] / 257.0) <= 0.51);
}

// A red disc on transparent green must not turn yellow at its edge.
TEST(ResampleBicubic, HiddenColoursDoNotLeak) {
  Picture picture(8, 1, 4);
  for (int x = 0; x < 8; ++x) {
    const bool visible = x < 4;
    picture.u8()[4 * x + (visible ? 0 : 1)] = 200;
    picture.u8()[4 * x + 3] = visible ? 255 : 0;
  }
  const Picture result = resample_bicubic(picture, 16, 1);
  for (int x = 0; x < 16; ++x) {
    if (result.u8()[4 * x + 3] == 0) continue;
    EXPECT_EQ(result.u8()[4 * x], 200) << x;
    EXPECT_EQ(result.u8()[4 * x + 1], 0) << x;
  }
}

// From a numpy run of section 7's formulas with reflected edges, on testing::pattern.
TEST(MatlabReflect, EqualsReference) {
  const auto plane_of = [](int width, int height) {
    const Picture picture = pattern(width, height, 1);
    Plane plane(width, height);
    plane.values.assign(picture.bytes.begin(), picture.bytes.end());
    return plane;
  };
  const Plane half = matlab_bicubic_reflect(plane_of(8, 6), 4, 3);
  const double expected_half[] = {33.12352,   99.355728,  86.163803,  139.333511, 113.349609, 166.556641,
                                  128.412109, 112.744141, 140.083511, 115.562241, 95.386978,  140.928207};
  ASSERT_EQ(half.values.size(), std::size(expected_half));
  for (size_t i = 0; i < half.values.size(); ++i) EXPECT_NEAR(half.values[i], expected_half[i], 1e-6) << i;

  const Plane odd = matlab_bicubic_reflect(plane_of(5, 4), 7, 6);
  const double expected_odd[] = {-3.048753,  10.316448,  56.902899, 121.847222, 30.539521,  109.57236,
                                 268.997166, 3.227041,   18.651057, 67.958455,  135.4375,   57.289723,
                                 68.492165,  135.19898,  20.74093,  38.918934,  93.150713,  166.435185,
                                 100.182891, 45.170959,  22.195956, 54.455215,  74.511419,  136.364189,
                                 221.62037,  149.199196, 99.458617, 87.725813,  110.691327, 143.701713,
                                 160.752915, 145.5625,   180.66363, 184.985969, 168.147959, 155.689342,
                                 200.958738, 171.00494,  52.097222, 195.985099, 252.754333, 227.774943};
  ASSERT_EQ(odd.values.size(), std::size(expected_odd));
  for (size_t i = 0; i < odd.values.size(); ++i) EXPECT_NEAR(odd.values[i], expected_odd[i], 1e-6) << i;
}

RC_GTEST_PROP(MatlabReflect, LinearInThePicture, (unsigned seed)) {
  const int width = *rc::gen::inRange(1, 10), height = *rc::gen::inRange(1, 10);
  const int to_width = *rc::gen::inRange(1, 25), to_height = *rc::gen::inRange(1, 25);
  std::mt19937 random(seed);
  Plane a(width, height), b(width, height), sum(width, height);
  for (size_t i = 0; i < a.values.size(); ++i) {
    a.values[i] = random() % 1000;
    b.values[i] = random() % 1000;
    sum.values[i] = 2 * a.values[i] - b.values[i];
  }
  const Plane left = matlab_bicubic_reflect(sum, to_width, to_height);
  const Plane p = matlab_bicubic_reflect(a, to_width, to_height),
              q = matlab_bicubic_reflect(b, to_width, to_height);
  for (size_t i = 0; i < left.values.size(); ++i) {
    RC_ASSERT(std::abs(left.values[i] - (2 * p.values[i] - q.values[i])) < 1e-8);
  }
}

}  // namespace
}  // namespace fye
