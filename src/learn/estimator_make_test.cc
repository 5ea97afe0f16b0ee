#include "learn/estimator_make.h"

#include <gtest/gtest.h>

#include <set>

#include "image/testing_pictures.h"
#include "learn/estimator_degrade.h"
#include "learn/testing_crops.h"

namespace fye {
namespace {

namespace fs = std::filesystem;
using testing::Folder;

fs::path shipped(const char* name) { return fs::path(FYE_SOURCE_DIR) / "models" / name; }

std::vector<PlannedNet> shipped_nets() {
  std::vector<PlannedNet> nets;
  for (const char* name : {"abpn_x2.onnx", "abpn_x3.onnx"}) {
    auto net = load_planned_net(shipped(name));
    EXPECT_TRUE(net.ok()) << net.error().text();
    nets.push_back(*std::move(net));
  }
  return nets;
}

TrainingSet small_set() {
  TrainingSet set;
  for (uint64_t i = 0; i < 2; ++i) set.train.push_back({"t", testing::waves(78, 72, i + 1, 6), {}});
  set.validation.push_back({"v", testing::waves(60, 96, 9, 6), {}});
  return set;
}

MakeOptions small_options() {
  MakeOptions options;
  options.side = 48, options.crops = 1, options.plans = 16;
  return options;
}

Result<bool> make(const std::vector<PlannedNet>& nets, const fs::path& path,
                  MakeOptions options = small_options(), int stop_at = -1) {
  std::atomic<bool> stop{false};
  const auto report = [&](int done, int) { stop = done == stop_at; };
  return make_crops(small_set(), nets, options, path, report, stop);
}

TEST(RandomPlans, AreDifferentMixedAndRepeatable) {
  const auto nets = shipped_nets();
  const auto plans = random_plans(nets[0].graph, 40, 5), again = random_plans(nets[0].graph, 40, 5);
  ASSERT_EQ(plans.size(), 40u);
  std::set<std::vector<std::string>> seen;
  for (size_t i = 0; i < plans.size(); ++i) {
    std::vector<std::string> names;
    for (const auto& step : plans[i].steps) names.push_back(step.processor);
    EXPECT_GT(std::set<std::string>(names.begin(), names.end()).size(), 1u);
    EXPECT_TRUE(seen.insert(names).second);
    for (size_t k = 0; k < names.size(); ++k) EXPECT_EQ(again[i].steps[k].processor, names[k]);
    EXPECT_TRUE(placement_of(plans[i], nets[0].graph, active_isa()).ok());
  }
  // 7 units of 2 or 3 formats: there are no more than that.
  EXPECT_LE(random_plans(nets[0].graph, 100000, 5).size(), 2187u - 3);
}

TEST(PlannedNet, OutputsOfPlansDifferALittle) {
  const auto nets = shipped_nets();
  const Picture low = testing::waves(24, 20, 3, 8);
  const auto f32 = enlarge(nets[0], uniform_plan(nets[0].graph, "cpu.f32"), low);
  const auto int8 = enlarge(nets[0], uniform_plan(nets[0].graph, "cpu.int8"), low);
  ASSERT_TRUE(f32.ok() && int8.ok());
  ASSERT_EQ(f32->width, 48);
  ASSERT_EQ(f32->height, 40);
  double difference = 0;
  for (size_t i = 0; i < f32->bytes.size(); ++i) difference += std::abs(f32->bytes[i] - int8->bytes[i]);
  difference /= double(f32->bytes.size());
  EXPECT_GT(difference, 0.001);
  EXPECT_LT(difference, 4);
}

TEST(PlannedNet, WhatIsNoNetworkIsRefused) {
  const Folder folder;
  EXPECT_FALSE(load_planned_net(folder / "absent.onnx").ok());
  fs::copy(shipped("abpn_x2.onnx"), folder / "alone.onnx");
  const auto refused = load_planned_net(folder / "alone.onnx");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("alone.calib.json"), std::string::npos);
}

TEST(MakeCrops, EveryKindIsThereWithItsExactScore) {
  const Folder folder;
  const auto nets = shipped_nets();
  const auto made = make(nets, folder / "crops.bin");
  ASSERT_TRUE(made.ok()) << made.error().text();
  ASSERT_TRUE(*made);
  const auto set = load_crops(folder / "crops.bin");
  ASSERT_TRUE(set.ok()) << set.error().text();
  ASSERT_EQ(set->crops.size(), 16u * (2 + 4));
  std::array<int, std::size(kCropKinds)> kinds{};
  ThreadPool here(1);
  for (size_t i = 0; i < set->crops.size(); ++i) {
    const CropInfo& crop = set->crops[i];
    ++kinds[size_t(crop.kind)];
    EXPECT_EQ(crop.held_picture, i >= 32);
    EXPECT_EQ(crop.place, i / 16);
    EXPECT_EQ(crop.plan != kNoPlan, crop.kind == CropKind::mixed);
    EXPECT_EQ(crop.held_plan, crop.kind == CropKind::mixed && crop.plan % 8 == 7);
    Plane plane(48, 48);
    const auto pixels = set->pixels[int64_t(i)].contiguous();
    std::copy_n(pixels.data_ptr<uint8_t>(), plane.values.size(), plane.values.begin());
    EXPECT_EQ(crop.score, float(piqe(plane, here).score)) << i;
  }
  EXPECT_EQ(kinds, (std::array<int, std::size(kCropKinds)>{6, 12, 12, 12, 36, 6, 6, 6}));
  EXPECT_EQ(folder.files(), 1u) << "JPEG's files are gone";
}

TEST(MakeCrops, VersionsOfAPlaceShowTheSamePart) {
  const Folder folder;
  const auto nets = shipped_nets();
  ASSERT_TRUE(make(nets, folder / "crops.bin").ok());
  const auto set = load_crops(folder / "crops.bin");
  ASSERT_TRUE(set.ok());
  const auto pixels = set->pixels.to(torch::kFloat32);
  for (int64_t place = 0; place < 6; ++place)
    for (int64_t version = 1; version < 13; ++version) {
      const double off = (pixels[16 * place + version] - pixels[16 * place]).abs().mean().item<double>();
      EXPECT_LT(off, 25) << place << " " << version;  // waves of amplitude 90, moved, would be off by 50
    }
}

TEST(MakeCrops, InterruptedAndResumedEqualsUninterrupted) {
  const Folder folder;
  const auto nets = shipped_nets();
  auto options = small_options();
  ASSERT_TRUE(*make(nets, folder / "whole.bin", options));
  const auto half = make(nets, folder / "half.bin", options, 3);
  ASSERT_TRUE(half.ok());
  EXPECT_FALSE(*half);
  options.threads = 1;
  ASSERT_TRUE(*make(nets, folder / "half.bin", options));
  EXPECT_EQ(testing::load(folder / "half.bin"), testing::load(folder / "whole.bin"));
}

TEST(MakeCrops, WhatCantBeIsRefused) {
  const Folder folder;
  const auto nets = shipped_nets();
  auto options = small_options();
  options.side = 64;  // not a multiple of 6
  EXPECT_EQ(make(nets, folder / "a.bin", options).error().code, ErrorCode::usage);
  options.side = 144;  // larger than the pictures
  EXPECT_EQ(make(nets, folder / "a.bin", options).error().code, ErrorCode::bad_input);
  options = small_options();
  ASSERT_TRUE(make(nets, folder / "a.bin", options).ok());
  options.seed = 2;
  EXPECT_EQ(make(nets, folder / "a.bin", options).error().code, ErrorCode::usage);
}

TEST(Degrade, NoiseHasItsDeviationAndNoMean) {
  const Picture flat(60, 60, 3);
  Picture grey = flat;
  std::fill(grey.bytes.begin(), grey.bytes.end(), uint8_t(128));
  Random random{4};
  const Picture noisy = with_noise(grey, 6, random);
  double sum = 0, squares = 0;
  for (const uint8_t v : noisy.bytes) sum += v - 128, squares += (v - 128) * (v - 128);
  EXPECT_NEAR(sum / double(noisy.bytes.size()), 0, 0.3);
  EXPECT_NEAR(std::sqrt(squares / double(noisy.bytes.size())), 6, 0.3);
}

TEST(Degrade, BlurKeepsFlatPicturesAndTheMeanAndTakesDetail) {
  Picture point(31, 31, 1);
  point.bytes[15 * 31 + 15] = 255;
  const Picture soft = blurred(point, 1.5);
  int sum = 0;
  for (const uint8_t v : soft.bytes) sum += v;
  EXPECT_NEAR(sum, 255, 30);                                             // rounded at each pixel
  EXPECT_NEAR(soft.bytes[15 * 31 + 15], 255 / (2 * 3.14159 * 2.25), 1);  // 1 / (2 pi sigma^2)
  EXPECT_EQ(soft.bytes[15 * 31 + 17], soft.bytes[17 * 31 + 15]);
  std::fill(point.bytes.begin(), point.bytes.end(), uint8_t(90));
  EXPECT_EQ(blurred(point, 2).bytes, point.bytes);
}

TEST(Degrade, JpegLosesMoreAtLowerQuality) {
  const Folder folder;
  const Picture picture = testing::waves(64, 64, 2, 10);
  const auto off = [&](int quality) {
    const auto coded = through_jpeg(picture, quality, folder / "x.jpg");
    EXPECT_TRUE(coded.ok());
    double sum = 0;
    for (size_t i = 0; i < picture.bytes.size(); ++i) sum += std::abs(coded->bytes[i] - picture.bytes[i]);
    return sum;
  };
  EXPECT_GT(off(10), off(90));
  EXPECT_GT(off(90), 0);
  EXPECT_EQ(folder.files(), 0u);
  EXPECT_FALSE(through_jpeg(picture, 50, folder / "no/where.jpg").ok());
}

}  // namespace
}  // namespace fye
