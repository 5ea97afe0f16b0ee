// What conv_test.cc does not ask of the Winograd kernels: that they read no more than whole grains need, and
// how far they are from sums in double.
#include "kernels/conv/winograd.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/region.h"
#include "kernels/conv/sample.h"

namespace fye {
namespace {

std::vector<ConvVariant> variants_here(Numbers numbers) {
  std::vector<ConvVariant> here;
  for (const ConvVariant& v : conv_variants())
    if (v.winograd && v.numbers == numbers && machine_has(v.isa) &&
        (!v.needs_avx512_bf16 || machine_has_avx512_bf16()))
      here.push_back(v);
  return here;
}

// What `made` of the output needs of an input of h x w, as input_region() says it for a node.
Region needed(const ConvProblem& p, const Region& made, int h, int w) {
  const int y = std::max(0, made.y - p.pad_top), x = std::max(0, made.x - p.pad_left);
  return {y, x, std::min(h, made.y + made.h - p.pad_top + 2) - y,
          std::min(w, made.x + made.w - p.pad_left + 2) - x};
}

RC_GTEST_PROP(Winograd, ReadsOnlyWhatWholeGrainsNeed, ()) {
  ConvProblem p = square(*rc::gen::inRange(12, 40), *rc::gen::inRange(12, 40), 3);
  p.residual = *rc::gen::arbitrary<bool>();
  p.grain_row = *rc::gen::inRange(0, 4);
  p.pad_top = *rc::gen::inRange(0, 2);
  p.pad_left = *rc::gen::inRange(0, 2);
  std::mt19937 random(*rc::gen::arbitrary<uint32_t>());
  fill_problem(p, 127, random);
  const int h = *rc::gen::inRange(1, 24), w = *rc::gen::inRange(1, 130);  // of the output
  const int in_h = h + 2 - 2 * p.pad_top, in_w = w + 2 - 2 * p.pad_left;
  RC_PRE(in_h > 0 && in_w > 0);
  Region part{*rc::gen::inRange(0, h), *rc::gen::inRange(0, w), 0, 0};
  part.h = *rc::gen::inRange(1, h - part.y + 1);
  part.w = *rc::gen::inRange(1, w - part.x + 1);
  const int step = *rc::gen::inRange(1, 9);
  p.in.zero = *rc::gen::inRange(0, 255);  // 255 is what lies around a crop
  for (const Numbers numbers : {Numbers::f32, Numbers::bf16, Numbers::int8}) {
    const DType type = storage(numbers);
    const auto input = [&](int channels, Quant q, int height, int width) {
      return sample_input(type, q, channels, height, width, 1, pitch_for(type, channels), random);
    };
    const SampleMap in = input(p.in_channels, p.in, in_h, in_w), res = input(p.out_channels, p.res, h, w);
    const auto output = [&](const Region& region) {
      return sample_map(type, p.out, p.out_channels, region, 0, pitch_for(type, p.out_channels));
    };
    for (const ConvVariant& v : variants_here(numbers)) {
      const auto kernel = v.prepare(p);
      const auto rows = [&](const Map& from, const SampleMap& to, int each) {
        const Map inputs[] = {from, res.map};
        const Region& r = to.map.region;
        for (int y = r.y; y < r.y + r.h; y += each)
          kernel->rows(std::span(inputs, p.residual ? 2 : 1), to.map, y, std::min(y + each, r.y + r.h));
      };
      const SampleMap whole = output({0, 0, h, w}), tile = output(part);
      rows(in.map, whole, h);
      // A copy of what is needed; around it NaN, or in int8 another level than padding.
      const Region need = needed(p, whole_grains(part, kernel->grain(), h, w), in_h, in_w);
      const SampleMap crop = sample_map(type, p.in, p.in_channels, need, 1, in.map.pitch);
      const size_t row_bytes = size_t(need.w) * size_t(in.map.pitch) * size_t(size_of(type));
      for (int y = need.y; y < need.y + need.h; ++y)
        std::memcpy(pixel_at(crop.map, y, need.x), pixel_at(in.map, y, need.x), row_bytes);
      rows(crop.map, tile, step);
      const size_t out_bytes = size_t(part.w) * size_t(whole.map.pitch) * size_t(size_of(type));
      for (int y = part.y; y < part.y + part.h; ++y)
        RC_ASSERT(std::memcmp(pixel_at(tile.map, y, part.x), pixel_at(whole.map, y, part.x), out_bytes) == 0);
    }
  }
}

// The bound that docs/results.md states: 3e-6 of the largest output, up to 256 channels; the contract allows
// 1e-4.
TEST(Winograd, ErrorAgainstSumsInDouble) {
  for (const int channels : {12, 28, 64, 256}) {
    ConvProblem p = square(channels, 16, 3);
    std::mt19937 random{unsigned(channels)};
    fill_problem(p, 127, random);
    const int h = 16, w = 24;
    const SampleMap in = sample_input(DType::f32, {}, channels, h, w, 1, channels, random);
    for (const ConvVariant& v : variants_here(Numbers::f32)) {
      const SampleMap out = sample_map(DType::f32, {}, 16, {0, 0, h, w}, 0, 16);
      v.prepare(p)->rows({&in.map, 1}, out.map, 0, h);
      double error = 0, largest = 0;
      for (int y = 0; y < h; ++y)
        for (int x = 0; x < w; ++x)
          for (int c = 0; c < 16; ++c) {
            double sum = p.bias[size_t(c)];
            const float* weight = &p.weight[size_t(c) * size_t(channels) * 9];
            for (int i = 0; i < channels; ++i)
              for (int k = 0; k < 9; ++k)
                sum += double(*weight++) * in.map.at<float>(y - 1 + k / 3, x - 1 + k % 3)[i];
            error = std::max(error, std::abs(out.map.at<float>(y, x)[c] - sum));
            largest = std::max(largest, std::abs(sum));
          }
      EXPECT_LT(error / largest, 3e-6) << v.name << " " << channels;
      EXPECT_GT(error, 0) << "the sums in double are not those of another form";
      RecordProperty(std::string(v.name) + "_" + std::to_string(channels),
                     std::to_string(error / largest * 1e6) + "e-6");
    }
  }
}

#ifdef __x86_64__  // where the codes are that these name
// The largest sums that are not refused, of either sign: every weight and every input at its end.
TEST(Winograd, ExactAtTheEndOfTheRange) {
  for (const int weight : {-128, 127}) {
    const int channels = weight < 0 ? 114 : 115;
    ConvProblem p = square(channels, 16, 3);
    std::mt19937 random{1};
    fill_problem(p, 127, random);
    std::fill(p.weight_q.begin(), p.weight_q.end(), int8_t(weight));
    p.in.zero = 0;
    ASSERT_EQ(winograd_refuses(p, kWinogradInt8Avx2), "");
    p.out.scale = float(1 << 26) * p.in.scale * p.weight_scale[0] / 255;
    p.out.zero = 128;
    const SampleMap in =
        sample_input(DType::u8, p.in, channels, 4, 5, 1, pitch_for(DType::u8, channels), random);
    for (int y = 0; y < 4; ++y) std::memset(pixel_at(in.map, y, 0), 255, size_t(5 * in.map.pitch));
    const auto run = [&](const ConvVariant& v) {
      SampleMap out = sample_map(DType::u8, p.out, 16, {0, 0, 4, 5}, 0, 16);
      v.prepare(p)->rows({&in.map, 1}, out.map, 0, 4);
      return std::vector<std::byte>(out.memory.data(), out.memory.data() + out.bytes);
    };
    for (const ConvVariant& v : variants_here(Numbers::int8))
      EXPECT_EQ(run(v), run(*std::find_if(conv_variants().begin(), conv_variants().end(),
                                          [](const auto& each) { return each.numbers == Numbers::int8; })));
  }
}

TEST(Winograd, RefusesWhatItHasNoFormFor) {
  const auto why = [](const ConvProblem& p, const WinogradCode& code = kWinogradF32Avx2) {
    return std::string(winograd_refuses(p, code));
  };
  EXPECT_EQ(why(square(28, 28, 3)), "");
  EXPECT_EQ(why(square(2000, 28, 3)), "");
  EXPECT_NE(why(square(28, 28, 5)).find("3 x 3"), std::string::npos);
  EXPECT_NE(why(square(28, 28, 1)).find("3 x 3"), std::string::npos);
  EXPECT_NE(why(square(3, 28, 3)).find("few channels"), std::string::npos);
  EXPECT_NE(why(square(64, 3, 3)).find("few channels"), std::string::npos);
  EXPECT_NE(why(square(28, 28, 3), kWinogradInt8Avx512).find("few channels"), std::string::npos);
  for (int ConvProblem::*field : {&ConvProblem::stride_h, &ConvProblem::stride_w, &ConvProblem::dilation_h,
                                  &ConvProblem::dilation_w, &ConvProblem::group}) {
    ConvProblem p = square(28, 28, 3);
    p.*field = 2;
    EXPECT_NE(why(p), "");
  }
  ConvProblem curved = square(28, 28, 3);
  curved.act.kind = Activation::Kind::tanh;
  EXPECT_NE(why(curved).find("direct"), std::string::npos);
  ConvProblem large = square(116, 16, 3);
  large.weight_q.assign(size_t(116 * 16 * 9), 127);
  large.weight_scale.assign(16, 1);
  large.bias_q.assign(16, 0);
  EXPECT_NE(why(large, kWinogradInt8Avx2).find("exact"), std::string::npos);
  for (size_t k = 0; k < large.weight_q.size(); k += 2) large.weight_q[k] = -127;
  EXPECT_EQ(why(large, kWinogradInt8Avx2), "");
}
#endif

}  // namespace
}  // namespace fye
