#include "execute/fidelity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace fye {
namespace {

// A map with memory of its own.
template <class T>
struct Owned {
  Owned(DType type, int h, int w, int channels, int pitch, Quant quant = {})
      : values(size_t(h) * w * pitch + 256) {
    map = {.type = type,
           .quant = quant,
           .channels = channels,
           .pitch = pitch,
           .region = {0, 0, h, w},
           .row_bytes = ptrdiff_t(w) * pitch * ptrdiff_t(sizeof(T)),
           .origin = reinterpret_cast<std::byte*>(values.data())};
  }
  std::vector<T> values;
  Map map;
};

TEST(Msef, CountsInGreyLevels) {
  Owned<float> a(DType::f32, 2, 3, 3, 3), b(DType::f32, 2, 3, 3, 3);
  b.values[4] = 6;
  EXPECT_DOUBLE_EQ(msef(a.map, b.map, {1, 0}), 36.0 / 18);
  b.values[4] = 6.0f / 255;
  EXPECT_NEAR(msef(a.map, b.map, {1.0f / 255, 0}), 36.0 / 18, 1e-5);
}

TEST(Msef, ClipsToThePicture) {
  Owned<float> a(DType::f32, 1, 1, 1, 1), b(DType::f32, 1, 1, 1, 1);
  a.values[0] = 300, b.values[0] = 255;
  EXPECT_EQ(msef(a.map, b.map, {1, 0}), 0);
  a.values[0] = -20, b.values[0] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(msef(a.map, b.map, {1, 0}), 255.0 * 255);
}

TEST(Msef, NanIsNotHidden) {
  Owned<float> a(DType::f32, 1, 2, 1, 1), b(DType::f32, 1, 2, 1, 1);
  a.values[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(msef(a.map, b.map, {1, 0})));
}

TEST(Msef, EmptyIsZero) {
  Owned<float> a(DType::f32, 0, 3, 1, 1), b(DType::f32, 0, 3, 1, 1);
  EXPECT_EQ(msef(a.map, b.map, {1, 0}), 0);
}

RC_GTEST_PROP(Msef, FormatsPitchAndOrderDoNotMatter, ()) {
  const int h = *rc::gen::inRange(1, 6), w = *rc::gen::inRange(1, 9);
  Owned<uint8_t> a(DType::u8, h, w, 3, 4, {0.5f, 10});
  Owned<float> same(DType::f32, h, w, 3, 3), b(DType::f32, h, w, 3, 3);
  double expected = 0;
  for (int i = 0; i < h * w; ++i)
    for (int c = 0; c < 3; ++c) {
      const uint8_t q = *rc::gen::arbitrary<uint8_t>();
      a.values[size_t(i * 4 + c)] = q;
      same.values[size_t(i * 3 + c)] = 0.5f * float(q - 10);
      b.values[size_t(i * 3 + c)] = float(*rc::gen::inRange(0, 256));
      const double d = std::max(0.0, 0.5 * (q - 10)) - b.values[size_t(i * 3 + c)];
      expected += d * d / (h * w * 3);
    }
  RC_ASSERT(msef(a.map, same.map, {1, 0}) == 0);
  RC_ASSERT(std::fabs(msef(a.map, b.map, {1, 0}) - expected) <= 1e-9 * expected);
  RC_ASSERT(msef(a.map, b.map, {1, 0}) == msef(b.map, a.map, {1, 0}));
}

}  // namespace
}  // namespace fye
