#include "quant/ranges.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace fye {
namespace {

float through(const Quant& quant, float x) {
  const float q = std::clamp(std::nearbyint(x / quant.scale) + float(quant.zero), 0.0f, 255.0f);
  return quant.scale * (q - float(quant.zero));
}

double squared_error(const Quant& quant, std::span<const float> values) {
  double sum = 0;
  for (const float x : values) sum += (double(x) - through(quant, x)) * (double(x) - through(quant, x));
  return sum;
}

// The sample without one smallest and one largest value.
std::vector<float> trimmed(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values.size() <= 2 ? std::vector<float>{} : std::vector<float>(values.begin() + 1, values.end() - 1);
}

RangeObserver observed(std::span<const float> values) {
  RangeObserver observer;
  observer.add(values);
  return observer;
}

std::vector<float> normal(size_t n, float mean, float deviation, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(mean, deviation);
  std::vector<float> values(n);
  for (float& v : values) v = distribution(random);
  return values;
}

// Values of very different shapes: normal, one-sided, heavy-tailed, a few levels.
rc::Gen<std::vector<float>> any_sample() {
  return rc::gen::exec([] {
    const int size = *rc::gen::inRange(5, 2000);
    const int kind = *rc::gen::inRange(0, 5);
    std::mt19937 random(unsigned(*rc::gen::arbitrary<int>()));
    std::normal_distribution<float> gauss(0, std::exp(float(*rc::gen::inRange(-8, 8))));
    std::vector<float> values;
    for (int i = 0; i < size; ++i) {
      const float x = gauss(random);
      if (kind == 0) values.push_back(x);
      if (kind == 1) values.push_back(std::max(x, 0.0f));
      if (kind == 2) values.push_back(x * x * x);
      if (kind == 3) values.push_back(std::round(4 * x));
      if (kind == 4) values.push_back(i % 100 == 7 ? 1000 * x : x);
    }
    return values;
  });
}

TEST(QuantForRange, KnownRanges) {
  EXPECT_EQ(quant_for_range(0, 255), (Quant{1, 0}));
  EXPECT_EQ(quant_for_range(0, 1), (Quant{1.0f / 255, 0}));
  EXPECT_EQ(quant_for_range(-128, 127), (Quant{1, 128}));
  EXPECT_EQ(quant_for_range(-255, 0), (Quant{1, 255}));
  EXPECT_EQ(quant_for_range(100, 255), (Quant{1, 0})) << "widened to contain 0";
  EXPECT_EQ(quant_for_range(-255, -3), (Quant{1, 255}));
  EXPECT_EQ(quant_for_range(-1, 1).zero, 128) << "127.5 rounds to even";
}

TEST(QuantForRange, NothingGivesOne) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const Quant& quant : {quant_for_range(0, 0), quant_for_range(1, -1), quant_for_range(nan, 1),
                             quant_for_range(0, nan), quant_for_range(-inf, 1), quant_for_range(0, inf)})
    EXPECT_EQ(quant, (Quant{1, 0}));
}

TEST(QuantForRange, ExtremeMagnitudesStayFinite) {
  const float most = std::numeric_limits<float>::max(), least = std::numeric_limits<float>::denorm_min();
  EXPECT_TRUE(std::isfinite(quant_for_range(-most, most).scale));
  EXPECT_EQ(quant_for_range(0, least).scale, 1e-8f);
  EXPECT_EQ(quant_for_range(-least, least).zero, 0);
}

RC_GTEST_PROP(QuantForRange, HoldsZeroExactlyAndTheRangeWithinHalfAStep, (int low, int high)) {
  const float lo = float(low) / 1024, hi = float(high) / 1024;
  const Quant quant = quant_for_range(lo, hi);
  RC_ASSERT(quant.scale > 0);
  RC_ASSERT(quant.zero >= 0 && quant.zero <= 255);
  RC_ASSERT(through(quant, 0) == 0.0f);
  if (lo <= hi)
    for (const float x : {lo, hi, (lo + hi) / 2})
      RC_ASSERT(std::fabs(through(quant, x) - x) <= 0.5001f * quant.scale + 1e-6f * std::fabs(x));
}

TEST(RangeObserver, EmptyAndSingle) {
  RangeObserver observer;
  EXPECT_EQ(observer.min(), 0);
  EXPECT_EQ(observer.max(), 0);
  EXPECT_TRUE(observer.sample().empty());
  EXPECT_EQ(quant_for_least_error(observer), (Quant{1, 0}));
  observer.add(std::vector<float>{-3});
  EXPECT_EQ(observer.min(), -3);
  EXPECT_EQ(observer.max(), -3);
  EXPECT_EQ(quant_for_least_error(observer), quant_for_range(-3, 0));
}

TEST(RangeObserver, NotFiniteIsReportedAndLeftOut) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, inf, -inf}) {
    const RangeObserver observer = observed(std::vector<float>{1, bad, -2});
    EXPECT_TRUE(observer.saw_nan());
    EXPECT_EQ(observer.min(), -2);
    EXPECT_EQ(observer.max(), 1);
    EXPECT_EQ(observer.sample().size(), 2u);
  }
  EXPECT_FALSE(observed(std::vector<float>{1, 2}).saw_nan());
}

RC_GTEST_PROP(RangeObserver, SampleDoesNotDependOnTheCuts, ()) {
  const auto values = *any_sample();
  const size_t capacity = *rc::gen::inRange<size_t>(2, 300);
  RangeObserver whole(capacity), cut(capacity);
  whole.add(values);
  for (size_t at = 0; at < values.size();) {
    const size_t n = std::min(values.size() - at, *rc::gen::inRange<size_t>(1, 700));
    cut.add(std::span(values).subspan(at, n));
    at += n;
  }
  RC_ASSERT(
      std::equal(whole.sample().begin(), whole.sample().end(), cut.sample().begin(), cut.sample().end()));
  RC_ASSERT(whole.sample().size() <= capacity);
  RC_ASSERT(whole.min() == *std::min_element(values.begin(), values.end()));
  RC_ASSERT(whole.max() == *std::max_element(values.begin(), values.end()));
}

TEST(RangeObserver, SmallInputIsKeptWhole) {
  const auto values = normal(1000, 0, 1);
  const RangeObserver observer = observed(values);
  EXPECT_TRUE(std::equal(values.begin(), values.end(), observer.sample().begin(), observer.sample().end()));
}

TEST(RangeObserver, StrideOfInterleavedChannelsSeesAllChannels) {
  RangeObserver observer(1024);
  std::vector<float> values(64 * 4096);
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i % 64);
  observer.add(values);
  std::vector<int> seen(64);
  for (const float v : observer.sample()) ++seen[size_t(v)];
  EXPECT_GE(observer.sample().size(), 512u);
  for (int channel = 0; channel < 64; ++channel)
    EXPECT_NEAR(double(seen[size_t(channel)]) * 64 / double(observer.sample().size()), 1, 0.99) << channel;
}

TEST(RangeObserver, SampleIsEvenOverTime) {
  RangeObserver observer(4096);
  std::vector<float> values(1 << 20);
  for (size_t i = 0; i < values.size(); ++i) values[i] = float(i) / float(values.size());
  observer.add(values);
  double mean = 0;
  for (const float v : observer.sample()) mean += v / double(observer.sample().size());
  EXPECT_NEAR(mean, 0.5, 0.001);
  EXPECT_TRUE(std::is_sorted(observer.sample().begin(), observer.sample().end()));
}

RC_GTEST_PROP(QuantForLeastError, NeverWorseThanMinMax, ()) {
  const auto values = *any_sample();
  const auto inner = trimmed(values);
  const Quant searched = quant_for_least_error(observed(values));
  const Quant plain = quant_for_range(*std::min_element(values.begin(), values.end()),
                                      *std::max_element(values.begin(), values.end()));
  // The slack is for prefix sums in double against a plain sum.
  double squares = 0;
  for (const float v : values) squares += double(v) * v;
  RC_ASSERT(squared_error(searched, inner) <= squared_error(plain, inner) * (1 + 1e-6) + 1e-10 * squares);
}

RC_GTEST_PROP(QuantForLeastError, NonNegativeKeepsZeroAtTheBottom, ()) {
  auto values = *any_sample();
  for (float& v : values) v = std::fabs(v);
  RC_ASSERT(quant_for_least_error(observed(values)).zero == 0);
}

RC_GTEST_PROP(QuantForLeastError, NeverPositiveKeepsZeroAtTheTop, ()) {
  auto values = *any_sample();
  for (float& v : values) v = -std::fabs(v);
  values.push_back(-1);
  values.push_back(-1);
  RC_ASSERT(quant_for_least_error(observed(values)).zero == 255);
}

RC_GTEST_PROP(QuantForLeastError, Deterministic, ()) {
  const auto values = *any_sample();
  RC_ASSERT(quant_for_least_error(observed(values)) == quant_for_least_error(observed(values)));
}

TEST(QuantForLeastError, Constant) {
  for (const float value : {1.0f, -1.0f, 3e-5f, 1e6f, 255.0f}) {
    const Quant quant = quant_for_least_error(observed(std::vector<float>(1000, value)));
    EXPECT_FLOAT_EQ(through(quant, value), value);
    EXPECT_EQ(quant.zero, value > 0 ? 0 : 255);
  }
  EXPECT_EQ(quant_for_least_error(observed(std::vector<float>(1000, 0.0f))), (Quant{1, 0}));
}

TEST(QuantForLeastError, OneOutlierDoesNotCount) {
  auto values = normal(20000, 0, 1);
  const Quant clean = quant_for_least_error(observed(values));
  values[17] = 1e4f;
  const Quant with = quant_for_least_error(observed(values));
  EXPECT_NEAR(with.scale, clean.scale, 0.02 * clean.scale);
  EXPECT_LT(with.scale, 0.04f);
  EXPECT_LT(squared_error(with, trimmed(values)),
            squared_error(quant_for_range(-4, 1e4f), trimmed(values)) / 1000);
}

TEST(QuantForLeastError, OnlyValueBesidesZerosIsKept) {
  std::vector<float> values(1000, 0.0f);
  values[3] = 7;
  EXPECT_FLOAT_EQ(through(quant_for_least_error(observed(values)), 7), 7);
}

// For a normal distribution the best symmetric 8-bit clip is near 3.92 sigma (Banner et al., 2018, "Post
// training 4-bit quantization", appendix, give 3.92 for 8 bits).
TEST(QuantForLeastError, NormalClipsNearFourSigma) {
  const Quant quant = quant_for_least_error(observed(normal(250000, 0, 1)));
  EXPECT_NEAR(quant.scale * 255 / 2, 3.92, 0.12);
  EXPECT_NEAR(quant.zero, 127.5, 6);
}

TEST(QuantForLeastError, PixelGridIsFoundExactly) {
  std::mt19937 random(5);
  std::vector<float> values(50000);
  for (float& v : values) v = float(random() % 256);
  EXPECT_EQ(quant_for_least_error(observed(values)), (Quant{1, 0}));
}

// Against a dense grid of ends.
TEST(QuantForLeastError, CloseToExhaustiveSearch) {
  constexpr int kGrid = 60;
  for (const unsigned seed : {1u, 2u, 3u}) {
    for (const int kind : {0, 1, 2, 3}) {
      auto values = normal(1500, 0, 1, seed);
      if (kind == 1)
        for (float& v : values) v = v * v * v;
      if (kind == 2)
        for (float& v : values) v = v > 0 ? 3 * v : v;
      if (kind == 3)
        for (float& v : values) v = std::pow(v, 7.0f);
      const auto inner = trimmed(values);
      double least = std::numeric_limits<double>::infinity();
      for (int i = 1; i <= kGrid; ++i)
        for (int j = 1; j <= kGrid; ++j)
          least = std::min(least, squared_error(quant_for_range(inner.front() * float(i) / kGrid,
                                                                inner.back() * float(j) / kGrid),
                                                inner));
      EXPECT_LE(squared_error(quant_for_least_error(observed(values)), inner), least * 1.02)
          << seed << " " << kind;
    }
  }
}

TEST(QuantiseWeights, ZeroChannelAndEnds) {
  const auto result = quantise_weights(std::vector<float>{0, 0, 0, -2, 1, 2, 0.5f, -0.25f, 0}, 3, true);
  EXPECT_EQ(result.scale, (std::vector<float>{1, 2.0f / 127, 0.5f / 127}));
  EXPECT_EQ(result.values, (std::vector<int8_t>{0, 0, 0, -127, 64, 127, 127, -64, 0}));
}

TEST(QuantiseWeights, OneScaleForTheLayer) {
  const auto result = quantise_weights(std::vector<float>{1, -1, 127, -127, 0.4f, 0.6f}, 3, false);
  EXPECT_EQ(result.scale, (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(result.values, (std::vector<int8_t>{1, -1, 127, -127, 0, 1}));
}

TEST(QuantiseWeights, NothingAtAll) {
  const auto none = quantise_weights({}, 0, true);
  EXPECT_TRUE(none.scale.empty());
  EXPECT_TRUE(none.values.empty());
  const auto empty = quantise_weights({}, 2, true);
  EXPECT_EQ(empty.scale, (std::vector<float>{1, 1}));
}

TEST(QuantiseWeights, TinyWeightsDoNotMakeATinyScale) {
  const float tiny = std::numeric_limits<float>::denorm_min() * 40;
  EXPECT_EQ(quantise_weights(std::vector<float>{tiny, -tiny}, 1, true).scale[0], 1);
}

RC_GTEST_PROP(QuantiseWeights, ErrorAtMostHalfAStepAndNever128, ()) {
  const int channels = *rc::gen::inRange(1, 6), rest = *rc::gen::inRange(1, 40);
  const bool per_channel = *rc::gen::arbitrary<bool>();
  std::vector<float> weight;
  for (int i = 0; i < channels * rest; ++i)
    weight.push_back(float(*rc::gen::inRange(-100000, 100001)) * std::exp(float(*rc::gen::inRange(-10, 3))));
  const auto result = quantise_weights(weight, channels, per_channel);
  RC_ASSERT(result.scale.size() == size_t(channels));
  RC_ASSERT(result.values.size() == weight.size());
  for (size_t i = 0; i < weight.size(); ++i) {
    const float scale = result.scale[i / size_t(rest)];
    RC_ASSERT(result.values[i] >= -127);
    RC_ASSERT(std::fabs(weight[i] - scale * result.values[i]) <= 0.5001f * scale);
    if (!per_channel) RC_ASSERT(scale == result.scale[0]);
  }
}

}  // namespace
}  // namespace fye
