#include "learn/estimator_train.h"

#include <gtest/gtest.h>

#include "image/testing_pictures.h"
#include "learn/checkpoint.h"
#include "learn/estimator_score.h"
#include "learn/net.h"
#include "learn/testing_crops.h"

namespace fye {
namespace {

using testing::Folder;

const EstimatorSpec kTinySpec{{6, 6, 8, 8, 8, 8}, 8, EstimatorInput::luma};

EstimatorOptions quick_estimator(int64_t steps) {
  EstimatorOptions options;
  options.pace.budget_steps = steps;
  options.pace.report_every = options.pace.save_every = 1e9;
  options.batch = 8, options.threads = 2;
  options.rate = 2e-2;
  return options;
}

const CropSet& crops() {
  static const CropSet set = testing::small_crops(16, 64);
  return set;
}

Result<EstimatorState> train_estimator_quick(EstimatorState state, const EstimatorOptions& options,
                                             const std::filesystem::path& path, int64_t stop_after = -1) {
  std::atomic<bool> stop{false};
  EstimatorEvents events;
  auto pace = options;
  if (stop_after >= 0) pace.pace.report_every = 0;  // a report after every step, which then stops
  events.report = [&](const EstimatorState& s, double, double, double) { stop = s.step == stop_after; };
  events.save = [&](const EstimatorState& s) { return save_estimator(s, path); };
  return train_estimator(std::move(state), pace, crops(), events, stop);
}

Agreement agreement_of(const EstimatorState& state) {
  const auto rows = testing::all_rows(crops());
  const auto imitation = [&](const torch::Tensor& x) { return estimate(state.spec, state.average, x); };
  return agreement(crops(), rows, scores_of(imitation, crops(), rows, 2));
}

TEST(EstimatorTrain, LearnsSomething) {
  const Folder folder;
  auto spec = kTinySpec;
  spec.input = EstimatorInput::normalised;
  const auto options = quick_estimator(100);
  const auto before = agreement_of(start_estimator(spec, options, 3));
  const auto done = train_estimator_quick(start_estimator(spec, options, 3), options, folder / "e.pt");
  ASSERT_TRUE(done.ok()) << done.error().text();
  const auto after = agreement_of(*done);
  EXPECT_LT(after.mean_error, before.mean_error / 2);
  EXPECT_GT(after.spearman, 0.4);
}

TEST(EstimatorTrain, InterruptedAndResumedEqualsUninterrupted) {
  torch::set_num_threads(1);
  const Folder folder;
  const auto options = quick_estimator(7);
  const auto whole =
      train_estimator_quick(start_estimator(kTinySpec, options, 5), options, folder / "whole.pt");
  const auto half =
      train_estimator_quick(start_estimator(kTinySpec, options, 5), options, folder / "half.pt", 3);
  ASSERT_TRUE(whole.ok() && half.ok());
  ASSERT_EQ(half->step, 3);
  const auto loaded = load_estimator(folder / "half.pt");
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  const auto resumed = train_estimator_quick(*loaded, options, folder / "half.pt");
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(resumed->step, 7);
  for (size_t i = 0; i < whole->average.learned.size(); ++i)
    EXPECT_TRUE(resumed->average.learned[i].equal(whole->average.learned[i])) << i;
  for (size_t i = 0; i < whole->average.statistics.size(); ++i)
    EXPECT_TRUE(resumed->average.statistics[i].equal(whole->average.statistics[i])) << i;
}

TEST(EstimatorTrain, HeldOutCropsAreNotLookedAt) {
  const Folder folder;
  auto other = crops();
  other.pixels = other.pixels.clone();
  for (size_t i = 0; i < other.crops.size(); ++i)
    if (other.crops[i].held_picture || other.crops[i].held_plan) {
      other.pixels[int64_t(i)].fill_(7);
      other.crops[i].score = 1;
    }
  const auto options = quick_estimator(4);
  std::atomic<bool> stop{false};
  const EstimatorEvents events{[](const EstimatorState&, double, double, double) {},
                               [](const EstimatorState&) { return Status(); }};
  const auto a = train_estimator(start_estimator(kTinySpec, options, 5), options, crops(), events, stop);
  const auto b = train_estimator(start_estimator(kTinySpec, options, 5), options, other, events, stop);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(a->weights.learned[0].equal(b->weights.learned[0]));
}

TEST(EstimatorTrain, WhatCantBeIsRefused) {
  const Folder folder;
  auto options = quick_estimator(3);
  options.batch = 6;
  const auto odd = train_estimator_quick(start_estimator(kTinySpec, options, 1), options, folder / "e.pt");
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().code, ErrorCode::usage);

  options = quick_estimator(3);
  auto other_optimiser = start_estimator(kTinySpec, options, 1);
  other_optimiser.optimiser.pop_back();
  EXPECT_FALSE(train_estimator_quick(other_optimiser, options, folder / "e.pt").ok());

  auto held = crops();
  for (auto& crop : held.crops) crop.held_picture = true;
  std::atomic<bool> stop{false};
  EXPECT_FALSE(train_estimator(start_estimator(kTinySpec, options, 1), options, held, {}, stop).ok());
  EXPECT_FALSE(
      train_estimator_quick(start_estimator(kTinySpec, options, 1), options, folder / "no/where.pt").ok());
}

TEST(EstimatorCheckpoint, OtherFilesAreRefused) {
  const Folder folder;
  EXPECT_FALSE(load_estimator(folder / "absent.pt").ok());
  testing::store(folder / "text.pt", "not a checkpoint");
  EXPECT_FALSE(load_estimator(folder / "text.pt").ok());

  Checkpoint net;
  net.spec = *net_spec("abpn", 2);
  net.weights = initial_weights(net.spec, 1);
  net.average = net.weights;
  ASSERT_TRUE(save_checkpoint(net, folder / "net.pt").ok());
  EXPECT_FALSE(load_estimator(folder / "net.pt").ok());

  auto state = start_estimator(kTinySpec, quick_estimator(1), 1);
  ASSERT_TRUE(save_estimator(state, folder / "fine.pt").ok());
  EXPECT_TRUE(load_estimator(folder / "fine.pt").ok());
  EXPECT_FALSE(load_checkpoint(folder / "fine.pt").ok());
  state.average.learned[0] = torch::zeros({1});
  ASSERT_TRUE(save_estimator(state, folder / "bad.pt").ok());
  const auto refused = load_estimator(folder / "bad.pt");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("bad.pt"), std::string::npos);
}

}  // namespace
}  // namespace fye
