#include "learn/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "learn/qat.h"
#include "learn/score.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    path = fs::temp_directory_path() /
           ("fye_learn_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(path);
    fs::create_directories(path);
  }
  void TearDown() override { fs::remove_all(path); }
  fs::path path;
};
using CheckpointTest = Folder;
using TrainTest = Folder;

// A smooth picture with some texture, different for each seed.
PicturePair synthetic(uint64_t seed, int scale) {
  Picture picture(48 * scale, 40 * scale, 3);
  Random random{seed};
  const double fx = 0.05 + 0.01 * random.below(20), fy = 0.05 + 0.01 * random.below(20);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      for (int c = 0; c < 3; ++c)
        picture.bytes[(size_t(y) * picture.width + x) * 3 + c] =
            uint8_t(128 + 80 * std::sin(fx * x + c) * std::cos(fy * y) + random.below(20));
  return *make_pair("synthetic", picture, scale);
}

TrainOptions quick(OptimiserKind kind, int64_t steps) {
  TrainOptions options;
  options.budget_steps = steps;
  options.batch = 2, options.patch = 16;
  options.optimiser = kind;
  options.validate_every = options.save_every = 1e9;
  return options;
}

Result<Checkpoint> train_quick(const Checkpoint& state, const TrainOptions& options, const fs::path& folder,
                               const std::atomic<bool>& stop, int64_t stop_after = -1,
                               std::atomic<bool>* asked = nullptr) {
  const std::vector<PicturePair> pictures{synthetic(1, state.spec.scale), synthetic(2, state.spec.scale)};
  TrainEvents events;
  events.report = [](const TrainReport&) {};
  events.save = [&](const Checkpoint& c) { return save_checkpoint(c, folder / "checkpoint.pt"); };
  std::atomic<int64_t> drawn{0};
  const DrawBatch draw = [&](int count, int patch, Random& random) {
    if (++drawn == stop_after) *asked = true;
    return draw_batch(pictures, state.spec.scale, count, patch, random);
  };
  return train(state, options, draw, {}, events, stop);
}

TEST_F(TrainTest, InterruptedAndResumedEqualsUninterrupted) {
  torch::set_num_threads(1);
  const auto spec = *net_spec("abpn", 2);
  for (const auto kind : {OptimiserKind::adam, OptimiserKind::muon, OptimiserKind::soap}) {
    const auto options = quick(kind, 14);
    std::atomic<bool> stop{false};
    const auto whole = train_quick(start_training(spec, options, 5), options, path, stop);
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ(whole->step, 14);

    const auto half = train_quick(start_training(spec, options, 5), options, path, stop, 6, &stop);
    ASSERT_TRUE(half.ok());
    EXPECT_EQ(half->step, 6);
    stop = false;
    const auto loaded = load_checkpoint(path / "checkpoint.pt");
    ASSERT_TRUE(loaded.ok()) << loaded.error().text();
    const auto resumed = train_quick(*loaded, options, path, stop);
    ASSERT_TRUE(resumed.ok());
    EXPECT_EQ(resumed->step, 14);
    for (size_t i = 0; i < spec.layers.size(); ++i) {
      EXPECT_TRUE(resumed->weights.kernels[i].equal(whole->weights.kernels[i]))
          << int(kind) << " layer " << i;
      EXPECT_TRUE(resumed->average.biases[i].equal(whole->average.biases[i])) << int(kind) << " layer " << i;
    }
  }
}

TEST_F(TrainTest, LearnsSomething) {
  const auto spec = *net_spec("abpn", 2);
  const auto options = quick(OptimiserKind::muon, 60);
  const auto pair = synthetic(9, 2);
  std::atomic<bool> stop{false};
  const auto start = start_training(spec, options, 1);
  const double before = luma_psnr(spec, float_arithmetic(spec, start.average), pair);
  const auto done = train_quick(start_training(spec, options, 1), options, path, stop);
  ASSERT_TRUE(done.ok());
  EXPECT_GT(luma_psnr(spec, float_arithmetic(spec, done->average), pair), before + 0.5);
}

TEST_F(TrainTest, TwoThreadsRepeatThemselves) {
  torch::set_num_threads(1);
  const auto spec = *net_spec("abpn", 2);
  auto options = quick(OptimiserKind::muon, 8);
  options.threads = 2;
  std::atomic<bool> stop{false};
  const auto one = train_quick(start_training(spec, options, 5), options, path, stop);
  const auto two = train_quick(start_training(spec, options, 5), options, path, stop);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE(one->weights.kernels[3].equal(two->weights.kernels[3]));
}

TEST_F(TrainTest, BatchThatThreadsCantShareIsRefused) {
  const auto spec = *net_spec("abpn", 2);
  auto options = quick(OptimiserKind::muon, 8);
  options.threads = 3;
  std::atomic<bool> stop{false};
  const auto done = train_quick(start_training(spec, options, 5), options, path, stop);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::usage);
}

TEST_F(TrainTest, LossThatIsNotFiniteIsAnError) {
  const auto spec = *net_spec("abpn", 2);
  auto options = quick(OptimiserKind::adam, 3);
  auto state = start_training(spec, options, 1);
  {
    const torch::NoGradGuard no_gradients;
    state.weights.biases.back().fill_(NAN);
  }
  std::atomic<bool> stop{false};
  const auto done = train_quick(state, options, path, stop);
  ASSERT_FALSE(done.ok());
  EXPECT_THAT(done.error().what, ::testing::HasSubstr("not finite"));
}

TEST_F(CheckpointTest, ComesBackWhole) {
  auto options = quick(OptimiserKind::soap, 3);
  auto state = start_training(*net_spec("abpn", 4), options, 0xfedcba9876543210u);
  state.step = 77, state.seconds = 1.25;
  state.grids = {{"input", {1, 0}}, {"conv1", {0.1f, 3}}};
  ASSERT_TRUE(save_checkpoint(state, path / "a.pt").ok());
  const auto loaded = load_checkpoint(path / "a.pt");
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(loaded->spec.net, "abpn");
  EXPECT_EQ(loaded->spec.scale, 4);
  EXPECT_EQ(loaded->step, 77);
  EXPECT_EQ(loaded->seconds, 1.25);
  EXPECT_EQ(loaded->random, 0xfedcba9876543210u);
  EXPECT_EQ(loaded->grids, state.grids);
  EXPECT_TRUE(loaded->weights.kernels[2].equal(state.weights.kernels[2]));
  EXPECT_EQ(loaded->optimiser.size(), state.optimiser.size());
}

TEST_F(CheckpointTest, BadFilesAreRefused) {
  EXPECT_FALSE(load_checkpoint(path / "absent.pt").ok());
  std::ofstream(path / "text.pt") << "not a checkpoint";
  std::ofstream(path / "empty.pt");
  for (const auto* name : {"text.pt", "empty.pt"}) {
    const auto loaded = load_checkpoint(path / name);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::bad_input);
    EXPECT_THAT(loaded.error().what, ::testing::HasSubstr(name));
  }

  const auto options = quick(OptimiserKind::adam, 3);
  auto state = start_training(*net_spec("abpn", 2), options, 1);
  ASSERT_TRUE(save_checkpoint(state, path / "good.pt").ok());
  fs::resize_file(path / "good.pt", fs::file_size(path / "good.pt") / 2);
  EXPECT_FALSE(load_checkpoint(path / "good.pt").ok());

  state.weights.kernels[1] = torch::zeros({28, 27, 3, 3});
  ASSERT_TRUE(save_checkpoint(state, path / "shape.pt").ok());
  EXPECT_FALSE(load_checkpoint(path / "shape.pt").ok());

  state = start_training(*net_spec("abpn", 2), options, 1);
  state.average.biases[1][0] = NAN;
  ASSERT_TRUE(save_checkpoint(state, path / "nan.pt").ok());
  EXPECT_FALSE(load_checkpoint(path / "nan.pt").ok());
}

TEST_F(CheckpointTest, DumpHasEveryWeightInPixelUnits) {
  const auto spec = *net_spec("abpn", 3);
  auto weights = initial_weights(spec, 3);
  weights.biases[0].fill_(0.5f);
  ASSERT_TRUE(dump_weights(spec, weights, path).ok());
  EXPECT_EQ(fs::file_size(path / "weights.bin"), 42539u * sizeof(float));
  const auto json = read_json(path / "weights.json");
  ASSERT_TRUE(json.ok());
  std::ifstream file(path / "weights.bin", std::ios::binary);
  file.seekg((*json)["layers"][0]["bias_offset"].get<int64_t>());
  float value = 0;
  file.read(reinterpret_cast<char*>(&value), sizeof value);
  EXPECT_EQ(value, 0.5f * kUnit);
}

TEST(Schedule, WarmsUpAndFalls) {
  EXPECT_LT(rate_at(0), 0.05);
  EXPECT_NEAR(rate_at(kWarmUp), 1, 1e-2);
  EXPECT_NEAR(rate_at(0.5), 0.5, 1e-2);
  EXPECT_NEAR(rate_at(1), kLastRate, 1e-6);
  for (double p = kWarmUp; p < 0.99; p += 0.01) EXPECT_GT(rate_at(p), rate_at(p + 0.01));
}

}  // namespace
}  // namespace fye
