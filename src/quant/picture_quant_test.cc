#include "quant/picture_quant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fye {
namespace {

std::optional<Quant> of(const char* range) {
  Graph graph;
  graph.metadata["fye.range"] = range;
  auto quant = picture_quant(graph);
  EXPECT_TRUE(quant);
  return *quant;
}

TEST(PictureQuant, KnownRanges) {
  EXPECT_EQ(of("0..255"), (Quant{1, 0}));
  EXPECT_EQ(of("0..1"), (Quant{1.0f / 255, 0}));
  EXPECT_EQ(of("-1..1"), (Quant{std::nextafter(2.0f / 255, 0.0f), 128}));
}

TEST(PictureQuant, SymmetricRangeIsWithinHalfALevelAndReachesBothEnds) {
  const Quant quant = *of("-1..1");
  for (int p = 0; p < 256; ++p) {
    const double real = double(quant.scale) * (p - quant.zero);
    EXPECT_NEAR(real, 2.0 * p / 255 - 1, 1.0001 / 255) << p;
  }
  EXPECT_GE(std::nearbyint(1 / quant.scale) + quant.zero, 255);
  EXPECT_LE(std::nearbyint(-1 / quant.scale) + quant.zero, 0);
}

TEST(PictureQuant, NothingSaid) {
  const auto quant = picture_quant(Graph{});
  ASSERT_TRUE(quant);
  EXPECT_FALSE(quant->has_value());
}

TEST(PictureQuant, RefusesUnknownRanges) {
  for (const char* range : {"", "0..2", "255", "0..1.0"}) {
    Graph graph;
    graph.metadata["fye.range"] = range;
    const auto quant = picture_quant(graph);
    ASSERT_FALSE(quant) << range;
    EXPECT_EQ(quant.error().code, ErrorCode::bad_input);
    EXPECT_THAT(quant.error().what, testing::HasSubstr("fye.range"));
  }
}

}  // namespace
}  // namespace fye
