#include "runtime/tta.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace fye {
namespace {

Picture random_picture() {
  Picture picture(*rc::gen::inRange(1, 9), *rc::gen::inRange(1, 9), *rc::gen::inRange(1, 5),
                  *rc::gen::element(8, 16));
  picture.bytes = *rc::gen::container<std::vector<uint8_t>>(picture.bytes.size(), rc::gen::arbitrary<uint8_t>());
  return picture;
}

bool same(const Picture& a, const Picture& b) {
  return a.width == b.width && a.height == b.height && a.channels == b.channels && a.bits == b.bits &&
         a.bytes == b.bytes;
}

int sample(const Picture& p, size_t i) { return p.bits == 8 ? p.u8()[i] : p.u16()[i]; }

// Doubles, and has a direction of its own: each pixel is mixed with its left neighbour. No symmetry maps it to itself.
Result<Picture> lopsided(const Picture& in) {
  Picture out(2 * in.width, 2 * in.height, in.channels, in.bits);
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      for (int c = 0; c < in.channels; ++c) {
        const size_t row = size_t(y / 2) * in.width;
        const size_t at = (row + x / 2) * in.channels + c, left = (row + std::max(0, x / 2 - 1)) * in.channels + c;
        const int value = (3 * sample(in, at) + sample(in, left)) / 4;
        const size_t to = (size_t(y) * out.width + x) * in.channels + c;
        if (in.bits == 8)
          out.u8()[to] = uint8_t(value);
        else
          out.u16()[to] = uint16_t(value);
      }
  return out;
}

RC_GTEST_PROP(Tta, TurnsAreUndoneByTheirInverse, ()) {
  const Picture picture = random_picture();
  const int symmetry = *rc::gen::inRange(0, 8);
  RC_ASSERT(same(turned(turned(picture, symmetry), inverse(symmetry)), picture));
}

TEST(Tta, TheEightTurnsDiffer) {
  Picture picture(3, 3, 1);
  for (int i = 0; i < 9; ++i) picture.bytes[size_t(i)] = uint8_t(i);
  std::set<std::vector<uint8_t>> all;
  for (int symmetry = 0; symmetry < 8; ++symmetry) all.insert(turned(picture, symmetry).bytes);
  EXPECT_EQ(all.size(), 8u);
}

// The point of it: no direction is preferred any more, whatever the network prefers. Exact, for sums know no order.
RC_GTEST_PROP(Tta, TurningBeforeEqualsTurningAfter, ()) {
  const Picture picture = random_picture();
  const int symmetry = *rc::gen::inRange(0, 8);
  const auto plain = mean_of_symmetries(picture, lopsided);
  const auto of_turned = mean_of_symmetries(turned(picture, symmetry), lopsided);
  RC_ASSERT(plain && of_turned);
  RC_ASSERT(same(*of_turned, turned(*plain, symmetry)));
}

RC_GTEST_PROP(Tta, IsTheRoundedMean, ()) {
  const Picture picture = random_picture();
  std::vector<Picture> parts;
  for (int symmetry = 0; symmetry < 8; ++symmetry)
    parts.push_back(turned(*lopsided(turned(picture, symmetry)), inverse(symmetry)));
  const auto result = mean_of_symmetries(picture, lopsided);
  RC_ASSERT(result);
  for (size_t i = 0; i < result->samples(); ++i) {
    double sum = 0;
    for (const Picture& part : parts) sum += sample(part, i);
    RC_ASSERT(std::abs(sample(*result, i) - sum / 8) <= 0.5);
  }
}

TEST(Tta, ErrorsComeThrough) {
  int calls = 0;
  const auto result = mean_of_symmetries(Picture(2, 2, 1), [&](const Picture& part) -> Result<Picture> {
    if (++calls == 5) return interrupted_error("stopped");
    return part;
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::interrupted);
  EXPECT_EQ(calls, 5);
}

}  // namespace
}  // namespace fye
