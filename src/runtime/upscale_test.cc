#include "runtime/upscale.h"

#include <gtest/gtest.h>

#include <limits>

#include "execute/testing_graphs.h"
#include "image/resize.h"
#include "runtime/network.h"

namespace fye {
namespace {

Model model_of(Graph graph, int scale) {
  Model model{.name = "test", .graph = std::move(graph), .conventions = {}, .calib = {}};
  model.conventions.scale = scale;
  model.calib = testing::made_up_calib(model.graph);
  return model;
}

// A net that changes nothing but size: nearest enlargement by a 1 x 1 identity convolution and a shuffle.
Model identity(int scale) {
  Graph graph;
  graph.tensors = {{"input", {1, 3, -1, -1}}, {"wide", {1, 3 * scale * scale, -1, -1}}, {"output", {1, 3, -1, -1}}};
  Constant weight{{3 * scale * scale, 3, 1, 1}, {}};
  for (int o = 0; o < 3 * scale * scale; ++o)
    for (int i = 0; i < 3; ++i) weight.values.push_back(o % 3 == i ? 1.f : 0.f);
  graph.constants = {weight, {{3 * scale * scale}, std::vector<float>(size_t(3 * scale * scale))}};
  graph.nodes.push_back({"conv", {0}, 1, Conv{.weight = 0, .bias = 1}});
  graph.nodes.push_back({"shuffle", {1}, 2, DepthToSpace{scale, false}});
  graph.inputs = {0};
  graph.outputs = {2};
  Model model = model_of(graph, scale);
  for (auto& [name, quant] : model.calib->tensors) quant = {1, 0};
  return model;
}

Picture noise(int width, int height, int channels, int bits) {
  Picture picture(width, height, channels, bits);
  std::mt19937 random(7);
  for (auto& byte : picture.bytes) byte = uint8_t(random());
  return picture;
}

Upscaled upscale(const Model& model, const Picture& picture, UpscaleOptions options = {}, int threads = 2) {
  ThreadPool pool(threads);
  auto upscaler = Upscaler::create(model, options, pool);
  EXPECT_TRUE(upscaler) << (upscaler ? "" : upscaler.error().text());
  auto result = upscaler->run(picture);
  EXPECT_TRUE(result) << (result ? "" : result.error().text());
  return result ? *std::move(result) : Upscaled{};
}

TEST(Upscale, IdentityNetworkRepeatsEveryPixelInEveryForm) {
  const Model model = identity(2);
  for (int bits : {8, 16})
    for (int channels : {1, 2, 3, 4})
      for (Numbers numbers : {Numbers::f32, Numbers::int8}) {
        Picture in = noise(13, 9, channels, bits);
        if (in.has_alpha())  // visible everywhere, so that no colour is bled
          for (size_t i = channels - 1; i < in.samples(); i += channels)
            bits == 8 ? void(in.u8()[i] |= 1) : void(in.u16()[i] |= 1);
        const Upscaled out = upscale(model, in, {.numbers = numbers});
        ASSERT_EQ(out.picture.width, 26);
        ASSERT_EQ(out.picture.channels, channels);
        ASSERT_EQ(out.picture.bits, bits);
        EXPECT_EQ(out.report.notices.empty(), !(bits == 16 && numbers == Numbers::int8));
        for (int y = 0; y < 18; ++y)
          for (int x = 0; x < 26; ++x)
            for (int c = 0; c < channels; ++c) {
              const size_t to = size_t((y * 26 + x) * channels + c), from = size_t((y / 2 * 13 + x / 2) * channels + c);
              if (bits == 8)
                ASSERT_EQ(out.picture.u8()[to], in.u8()[from]);
              else
                ASSERT_EQ(out.picture.u16()[to], in.u16()[from]) << channels;
            }
      }
}

TEST(Upscale, TilesThreadsAndBudgetDoNotChangeAPixel) {
  const Model model = model_of(testing::small_abpn(3), 3);
  const Picture in = noise(90, 70, 4, 8);
  for (Numbers numbers : {Numbers::f32, Numbers::int8}) {
    const Upscaled whole = upscale(model, in, {.numbers = numbers});
    EXPECT_EQ(whole.report.tile, 0);
    for (int tile : {10, 33, 64})
      EXPECT_EQ(upscale(model, in, {.numbers = numbers, .tile = tile}, 3).picture.bytes, whole.picture.bytes) << tile;
    // Room for the pictures (twice the input; colour and alpha, nine times as large) and half of what the whole took.
    const int64_t pictures = int64_t(in.bytes.size()) * (2 + 2 * 9);
    const Upscaled tight =
        upscale(model, in, {.numbers = numbers, .memory_bytes = pictures + whole.report.arena_bytes / 2});
    EXPECT_LE(tight.report.arena_bytes, whole.report.arena_bytes / 2);
    EXPECT_EQ(tight.picture.bytes, whole.picture.bytes);
  }
}

TEST(Upscale, ImpossibleBudgetNamesTheLeastThatWouldDoAndThatDoes) {
  const Model model = model_of(testing::small_abpn(3), 3);
  const Picture in = noise(90, 70, 3, 8);
  ThreadPool pool(1);
  auto upscaler = Upscaler::create(model, {.memory_bytes = 50'000}, pool);
  auto result = upscaler->run(in);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::resources);
  const std::string& hint = result.error().hint;
  const int64_t least = std::stoll(hint.substr(hint.find("--mem ") + 6)) * 1'000'000;
  EXPECT_GT(least, 0);
  upscale(model, in, {.memory_bytes = least});
}

TEST(Upscale, OtherScalesAreOneResamplingOfTheWholeResult) {
  const Model model = model_of(testing::small_abpn(3), 3);
  const Picture in = noise(40, 30, 3, 8);
  const Upscaled own = upscale(model, in, {.numbers = Numbers::f32});
  const Upscaled two = upscale(model, in, {.numbers = Numbers::f32, .scale = 2, .tile = 16});
  ASSERT_EQ(two.picture.width, 80);
  EXPECT_EQ(two.picture.bytes, resample_bicubic(own.picture, 80, 60).bytes);
  EXPECT_EQ(two.report.notices.size(), 1u);
}

TEST(Upscale, DefaultNumbersFollowTheCard) {
  Model model = model_of(testing::small_abpn(3), 3);
  ThreadPool pool(1);
  auto numbers = [&] { return Upscaler::create(model, {.max = Isa::avx2}, pool)->numbers(); };
  EXPECT_EQ(numbers(), Numbers::f32);
  model.conventions.loss_db["int8"] = 0.06;
  EXPECT_EQ(numbers(), Numbers::f32);
  model.conventions.loss_db["int8"] = 0.04;
  EXPECT_EQ(numbers(), Numbers::int8);
  model.calib.reset();
  EXPECT_EQ(numbers(), Numbers::f32);
}

TEST(Upscale, BrokenWeightsNeverGiveAPicture) {
  const Picture in = noise(30, 30, 3, 8);
  ThreadPool pool(1);
  for (float poison : {std::numeric_limits<float>::max(), std::numeric_limits<float>::quiet_NaN()}) {
    Model model = model_of(testing::small_abpn(3), 3);
    for (size_t i = 0; i < 40; ++i) model.graph.constants[0].values[i] = i % 2 ? poison : -poison;
    auto result = Upscaler::create(model, {.numbers = Numbers::f32}, pool)->run(in);
    ASSERT_FALSE(result) << poison;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  }
  Model flat = identity(2);
  flat.graph.constants[0].values.assign(flat.graph.constants[0].values.size(), 0.f);
  auto result = Upscaler::create(flat, {.numbers = Numbers::f32}, pool)->run(in);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().what.find("flat"), std::string::npos);
}

TEST(Upscale, APictureOfOneColourMayStayOne) {
  ThreadPool pool(1);
  for (const int bits : {8, 16}) {
    Picture red(20, 12, 3, bits);
    for (size_t i = 0; i < red.samples(); i += 3) (bits == 8 ? red.bytes[i] : red.bytes[2 * i]) = 255;
    auto result = Upscaler::create(identity(2), {.numbers = Numbers::f32}, pool)->run(red);
    ASSERT_TRUE(result) << result.error().text();
    EXPECT_EQ(std::memcmp(result->picture.bytes.data(), red.bytes.data(), size_t(3 * bits / 8)), 0);
  }
}

TEST(Upscale, LumaNetworksKeepColour) {
  // A net on luma that changes nothing, after bicubic: the result is the bicubic enlargement.
  Graph graph;
  graph.tensors = {{"input", {1, 1, -1, -1}}, {"output", {1, 1, -1, -1}}};
  graph.constants = {{{1, 1, 1, 1}, {1.f}}, {{1}, {0.f}}};
  graph.nodes.push_back({"conv", {0}, 1, Conv{.weight = 0, .bias = 1}});
  graph.inputs = {0};
  graph.outputs = {1};
  Model model{.name = "luma", .graph = graph, .conventions = {}, .calib = {}};
  model.conventions = {.scale = 2, .lo = 0, .hi = 1, .colour = Conventions::Colour::y, .bicubic_first = true, .loss_db = {}};
  Picture in = noise(16, 12, 3, 8);
  for (auto& byte : in.bytes) byte = uint8_t(40 + byte / 2);
  const Picture out = upscale(model, in, {.numbers = Numbers::f32}).picture;
  const Picture expected = resample_bicubic(in, 32, 24);
  for (size_t i = 0; i < out.samples(); ++i) ASSERT_NEAR(out.u8()[i], expected.u8()[i], 1);
}

}  // namespace
}  // namespace fye
