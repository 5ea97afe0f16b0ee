// SRCNN from its first weights to the exported file: the one network on luma.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "execute/plain.h"
#include "image/colour.h"
#include "image/resize.h"
#include "import/onnx_import.h"
#include "kernels/reference/dense_map.h"
#include "learn/export.h"
#include "learn/qat.h"
#include "learn/score.h"
#include "learn/train.h"
#include "processors/processor.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

NetSpec srcnn_x3() { return *net_spec("srcnn", 3); }

// Waves and edges with grain: something that bicubic blurs.
PicturePair textured(uint64_t seed, int scale) {
  Picture picture(48 * scale, 40 * scale, 3);
  Random random{seed};
  const double fx = 0.2 + 0.02 * random.below(20), fy = 0.2 + 0.02 * random.below(20);
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) {
      const double wave = std::sin(fx * x + 0.1 * y) * std::cos(fy * y);
      for (int c = 0; c < 3; ++c)
        picture.bytes[(size_t(y) * picture.width + x) * 3 + c] =
            uint8_t(120 + (wave > 0.2 ? 60 : -40) + 10 * c + random.below(8));
    }
  return *make_pair("textured", picture, scale);
}

// Trained for a moment, so that no channel is as it began.
Weights stirred(const NetSpec& spec, uint64_t seed) {
  auto weights = initial_weights(spec, seed);
  auto generator = at::detail::createCPUGenerator(seed + 1);
  for (auto& kernel : weights.kernels) kernel += torch::empty_like(kernel).normal_(0, 0.01, generator);
  for (auto& bias : weights.biases) bias += torch::empty_like(bias).normal_(0, 0.01, generator);
  return weights;
}

double psnr(const Plane& a, const Plane& b, int shave) {
  double sum = 0;
  int count = 0;
  for (int y = shave; y < a.height - shave; ++y)
    for (int x = shave; x < a.width - shave; ++x, ++count) sum += std::pow(a.at(y, x) - b.at(y, x), 2);
  return 10 * std::log10(255 * 255 / (sum / count));
}

double bicubic_psnr(const PicturePair& pair, int scale) {
  const Picture enlarged = resample_bicubic(pair.low, pair.high.width, pair.high.height);
  return psnr(luma(enlarged), luma(pair.high), scale);
}

TEST(Srcnn, HasThePublishedSizes) {
  const auto spec = srcnn_x3();
  int64_t parameters = 0;
  for (const auto& layer : spec.layers)
    parameters += layer.kernel * layer.kernel * layer.in * layer.out + layer.out;
  EXPECT_EQ(parameters, 57281);  // 9-5-5 with 64 and 32 features
  for (const auto& [i, kernel] : {std::pair<size_t, int>{0, 9}, {1, 5}, {2, 5}}) {
    EXPECT_EQ(spec.layers[i].kernel, kernel);
    EXPECT_EQ(initial_weights(spec, 1).kernels[i].size(3), kernel);
  }
}

TEST(Srcnn, OtherScalesAreRefused) {
  for (const int scale : {0, 1, 5}) {
    const auto spec = net_spec("srcnn", scale);
    ASSERT_FALSE(spec.ok()) << scale;
    EXPECT_EQ(spec.error().code, ErrorCode::usage);
    EXPECT_THAT(spec.error().text(), ::testing::HasSubstr("srcnn"));
  }
}

TEST(Srcnn, LumaIsThatOfScores) {
  const auto pair = textured(3, 3);
  const auto made = luma_of(tensor_of(pair.high)).contiguous();
  const Plane expected = luma(pair.high);
  ASSERT_EQ(made.sizes(), torch::IntArrayRef({1, 1, expected.height, expected.width}));
  for (size_t i = 0; i < expected.values.size(); ++i)
    ASSERT_NEAR(made.data_ptr<float>()[i], expected.values[i], 1e-4);
}

TEST(Srcnn, BeginsNearBicubic) {
  const auto spec = srcnn_x3();
  const auto weights = initial_weights(spec, 1);
  const auto pair = textured(1, 3);
  EXPECT_GT(luma_psnr(spec, float_arithmetic(spec, weights), pair), bicubic_psnr(pair, 3) - 1);
}

// Whatever its weights were, away from the border.
TEST(Srcnn, HeldNetworkAnswersAConstantWithItself) {
  const auto spec = srcnn_x3();
  auto weights = stirred(spec, 2);
  for (auto& bias : weights.biases) bias.zero_();
  const auto grey = torch::full({1, 1, 24, 24}, 0.4f);
  const auto centre = [&] {
    return forward(spec, float_arithmetic(spec, weights), grey)[0][0][12][12].item<float>();
  };
  EXPECT_GT(std::fabs(centre() - 0.4f), 0.01f);
  hold_carried(spec, weights);
  EXPECT_NEAR(centre(), 0.4f, 1e-5f);
}

// The enlarged cells are those of the same place as the others, whatever the turn.
TEST(Srcnn, EnlargedPatchesBelongToTheirPictures) {
  std::vector<PicturePair> pairs{textured(1, 3), textured(2, 3)};
  Random none{5};
  EXPECT_FALSE(draw_batch(pairs, 3, 2, 12, none).enlarged.defined());
  enlarge_pairs(pairs);
  EXPECT_EQ(pairs[0].enlarged.bytes, resample_bicubic(pairs[0].low, 144, 120).bytes);
  for (auto& pair : pairs) pair.enlarged = pair.high;
  Random random{5};
  for (int i = 0; i < 20; ++i) {
    const auto batch = draw_batch(pairs, 3, 2, 12, random);
    EXPECT_TRUE(batch.enlarged.equal(batch.cells));
  }
}

// What the file computes is what was trained: on luma 0..1 instead of pixels / kUnit, clipped.
TEST(Srcnn, ExportedFileIsTheTrainedNetwork) {
  const fs::path folder = fs::temp_directory_path() / ("fye_learn_srcnn." + std::to_string(getpid()));
  fs::create_directories(folder);
  Checkpoint checkpoint;
  checkpoint.spec = srcnn_x3();
  checkpoint.weights = stirred(checkpoint.spec, 4);
  checkpoint.average = copy_of(checkpoint.weights);
  const auto exported = export_checkpoint(checkpoint, {{"int8", 0.5}}, folder);
  const auto imported = import_onnx(folder / "model.onnx");
  const bool calibrated = fs::exists(folder / "calib.json");
  fs::remove_all(folder);
  ASSERT_TRUE(exported.ok()) << exported.error().text();
  ASSERT_TRUE(imported.ok()) << imported.error().text();
  EXPECT_FALSE(calibrated);
  const auto& graph = imported->graph;
  EXPECT_EQ(graph.metadata.at("fye.scale"), "3");
  EXPECT_EQ(graph.metadata.at("fye.range"), "0..1");
  EXPECT_EQ(graph.metadata.at("fye.colour"), "y");
  EXPECT_EQ(graph.metadata.at("fye.pre"), "bicubic");
  EXPECT_EQ(graph.metadata.at("fye.loss_db.int8"), "0.5");

  auto generator = at::detail::createCPUGenerator(6);
  const auto pixels = torch::empty({1, 1, 23, 31}).uniform_(0, 255, generator);
  ThreadPool threads(1);
  const auto f32 = find_processor("cpu.f32", active_isa());
  ASSERT_TRUE(f32.ok());
  const std::vector<const Processor*> placement(graph.nodes.size(), *f32);
  auto executor = Executor::prepare(graph, nullptr, placement, {.height = 23, .width = 31});
  ASSERT_TRUE(executor.ok()) << executor.error().text();
  const Region all{0, 0, 23, 31};
  const auto in = make_map(DType::f32, {}, 1, all), out = make_map(DType::f32, {}, 1, all);
  const auto unit = (pixels / 255).contiguous();
  put({{1, 1, 23, 31}, {unit.data_ptr<float>(), unit.data_ptr<float>() + unit.numel()}}, 0, in.map);
  ASSERT_TRUE(executor->run(in.map, out.map, threads).ok());
  const Dense got = get(out.map);
  const auto made = torch::tensor(got.values, torch::kFloat32).reshape(got.shape);
  const auto arithmetic = float_arithmetic(checkpoint.spec, checkpoint.average);
  const auto expected = (forward(checkpoint.spec, arithmetic, pixels / kUnit) * (kUnit / 255)).clamp(0, 1);
  EXPECT_GT(expected.std().item<float>(), 0.05);
  EXPECT_LE((made - expected).abs().max().item<float>(), 1e-4 * expected.abs().max().item<float>());
}

TEST(Srcnn, TrainingBeatsBicubic) {
  torch::set_num_threads(1);
  const auto spec = srcnn_x3();
  std::vector<PicturePair> pairs{textured(1, 3), textured(2, 3)};
  enlarge_pairs(pairs);
  TrainOptions options;
  options.budget_steps = 40;
  options.batch = 2, options.patch = 16, options.rate = 1e-3, options.average = 0.9;
  options.optimiser = OptimiserKind::adam;
  options.validate_every = options.save_every = 1e9;
  TrainEvents events;
  events.report = [](const TrainReport&) {};
  events.save = [](const Checkpoint&) -> Status { return {}; };
  const DrawBatch draw = [&](int count, int patch, Random& random) {
    return draw_batch(pairs, 3, count, patch, random);
  };
  const std::atomic<bool> stop{false};
  std::vector<double> before;
  for (const auto& pair : pairs)
    before.push_back(luma_psnr(spec, float_arithmetic(spec, initial_weights(spec, 1)), pair));
  const auto done = train(start_training(spec, options, 1), options, draw, {}, events, stop);
  ASSERT_TRUE(done.ok()) << done.error().text();
  const auto sums = done->weights.kernels[0].select(1, 0).sum({1, 2}).contiguous();
  for (int64_t i = 0; i < sums.numel(); ++i) EXPECT_NEAR(sums.data_ptr<float>()[i], i == 0 ? 1 : 0, 1e-4);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double made = luma_psnr(spec, float_arithmetic(spec, done->average), pairs[i]);
    EXPECT_GT(made, before[i] + 0.5);
    EXPECT_GT(made, bicubic_psnr(pairs[i], 3));
  }
}

TEST(Srcnn, QuantisedTrainingIsRefused) {
  const auto spec = srcnn_x3();
  const auto grids = observe_grids(spec, initial_weights(spec, 1), {textured(1, 3)});
  ASSERT_FALSE(grids.ok());
  EXPECT_EQ(grids.error().code, ErrorCode::usage);
  EXPECT_THAT(grids.error().text(), ::testing::HasSubstr("fye calibrate"));
}

}  // namespace
}  // namespace fye
