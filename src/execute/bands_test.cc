// Bands against whole maps: the same bits, less memory.
#include "execute/bands.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "execute/plain.h"
#include "execute/testing_graphs.h"
#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::FloatMap;
using testing::TestPicture;

struct Outcome {
  std::vector<float> values;
  size_t bytes = 0;
  int passes = 0;
};

Outcome run(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement,
            TestPicture& picture, int band, int threads, Isa max = active_isa()) {
  auto executor = Executor::prepare(
      graph, calib, placement, {.height = picture.height, .width = picture.width, .band = band, .max = max});
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  if (!executor) return {};
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(threads);
  const auto status = executor->run(picture.map(), out.map(), pool);
  EXPECT_TRUE(status) << (status ? "" : status.error().text());
  out.values.resize(size_t(out.height) * out.width * out.channels);
  return {out.values, executor->arena_bytes(), executor->pass_count()};
}

std::vector<const Processor*> on(const Graph& graph, std::string_view name, Isa max = active_isa()) {
  return everywhere(graph, *find_processor(name, max));
}

TEST(Bands, EveryFormatAndHeightOfBandGivesTheSameBits) {
  for (const Graph& graph : {testing::small_abpn(3), testing::small_abpn(2, 20), testing::branched()}) {
    const Calib calib = testing::made_up_calib(graph);
    TestPicture picture(43, 29, 3);
    for (const Processor* processor : processors(active_isa())) {
      if (processor->name() == "null") continue;
      const auto placement = everywhere(graph, processor);
      const Outcome whole = run(graph, &calib, placement, picture, 0, 1);
      for (int band : {1, 2, 5, 16, 42, 43, 1000})
        for (int threads : {1, 3}) {
          const Outcome banded = run(graph, &calib, placement, picture, band, threads);
          EXPECT_EQ(banded.values, whole.values)
              << processor->name() << " band " << band << " threads " << threads;
          if (band >= 43) {
            EXPECT_EQ(banded.passes, 1);
          } else {
            EXPECT_GE(banded.passes, 43 / ((band + 3) / 4 * 4));
          }
        }
    }
  }
}

TEST(Bands, NetworksOfTheZoo) {
  const Graph zoo[] = {fuse(abpn(4, random_weights(1))), fuse(edsr_baseline_x2(random_weights(2))),
                       fuse(srvgg(4, 16, 3, random_weights(4)))};
  for (const Graph& graph : zoo) {
    TestPicture picture(40, 17, 3);
    const auto placement = on(graph, "cpu.f32");
    EXPECT_EQ(run(graph, nullptr, placement, picture, 6, 2).values,
              run(graph, nullptr, placement, picture, 0, 2).values);
  }
}

RC_GTEST_PROP(Bands, AnyGraphMixtureHeightAndThreads, ()) {
  const Graph graph =
      fuse(random_graph(*rc::gen::arbitrary<uint32_t>(), {.nodes = *rc::gen::inRange(2, 16)}));
  const int channels = int(graph.tensors[size_t(graph.inputs[0])].shape[1]);
  TestPicture picture(*rc::gen::inRange(16, 60), *rc::gen::inRange(16, 40), channels);
  const auto whole_f32 = on(graph, "cpu.f32");
  std::vector<const Processor*> placement;
  const auto narrow =
      *find_processor(find_processor("cpu.bf16", active_isa()) ? "cpu.bf16" : "cpu.f32", active_isa());
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    placement.push_back(*rc::gen::arbitrary<bool>() ? whole_f32[n] : narrow);
  const int band = *rc::gen::inRange(1, 40), threads = *rc::gen::inRange(1, 4);
  RC_ASSERT(run(graph, nullptr, placement, picture, band, threads).values ==
            run(graph, nullptr, placement, picture, 0, 1).values);
}

TEST(Bands, MemoryIsThatOfABandNotOfThePicture) {
  const Graph graph = testing::small_abpn(3);
  const auto placement = on(graph, "cpu.f32");
  TestPicture low(64, 50, 3), tall(640, 50, 3);
  const Outcome a = run(graph, nullptr, placement, low, 8, 1), b = run(graph, nullptr, placement, tall, 8, 1);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_LT(b.bytes, run(graph, nullptr, placement, tall, 0, 1).bytes / 5);
}

// A deep network looks far, but each map only holds what is on its way to the next: 30 layers see 30 rows up
// and down, 120 with tiles of four rows.
TEST(Bands, MemoryOfADeepNetworkIsABandALayer) {
  constexpr int kLayers = 30, kChannels = 16, kWidth = 40;
  testing::Builder builder(3, 5);
  TensorId x = 0;
  for (int i = 0; i < kLayers; ++i) x = builder.conv(x, kChannels, 3);
  const Graph graph = builder.take(x);
  TestPicture picture(300, kWidth, 3);
  const Outcome banded = run(graph, nullptr, on(graph, "cpu.f32"), picture, 4, 2);
  EXPECT_EQ(banded.values, run(graph, nullptr, on(graph, "cpu.f32"), picture, 0, 1).values);
  const size_t row = (kWidth + 2) * kChannels * sizeof(float) + 128, rows = 4 + 4 + 4 + 2;
  EXPECT_LT(banded.bytes, kLayers * (rows * row + 1024));
}

// A deep network on a small picture: whole maps take less memory and the same bits come out; on a high
// picture, or with room for the bands, it stays with bands.
TEST(Bands, WholeMapsWhereTheyAreSmaller) {
  testing::Builder builder(3, 5);
  TensorId x = 0;
  for (int i = 0; i < 30; ++i) x = builder.conv(x, 16, 3);
  const Graph graph = builder.take(x);
  const auto placement = on(graph, "cpu.f32");
  const auto prepared = [&](int height, size_t bytes, bool wish) {
    return Executor::prepare(
        graph, nullptr, placement,
        {.height = height, .width = 40, .band = 8, .band_bytes = bytes, .whole_if_smaller = wish});
  };
  constexpr size_t kLittle = 1 << 10, kPlenty = size_t{1} << 30;
  auto whole = prepared(40, kLittle, true);
  const auto bands = prepared(40, kLittle, false);
  ASSERT_TRUE(whole.ok() && bands.ok());
  EXPECT_EQ(whole->pass_count(), 1);
  EXPECT_GT(bands->pass_count(), 1);
  EXPECT_LT(whole->arena_bytes(), bands->arena_bytes() / 2);
  EXPECT_GT(prepared(4000, kLittle, true)->pass_count(), 100);
  EXPECT_EQ(prepared(200, kPlenty, true)->pass_count(), prepared(200, kPlenty, false)->pass_count());

  TestPicture picture(40, 40, 3);
  FloatMap out(whole->out_height(), whole->out_width(), whole->out_channels());
  ThreadPool pool(2);
  ASSERT_TRUE(whole->run(picture.map(), out.map(), pool));
  out.values.resize(size_t(out.height) * out.width * out.channels);  // without the slack
  EXPECT_EQ(out.values, run(graph, nullptr, placement, picture, 8, 1).values);
}

TEST(Bands, NothingIsComputedTwice) {
  const Graph graph = testing::branched();
  TestPicture picture(50, 20, 3);
  auto executor =
      Executor::prepare(graph, nullptr, on(graph, "cpu.f32"), {.height = 50, .width = 20, .band = 7});
  ASSERT_TRUE(executor);
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(1);
  std::vector<int> rows(graph.nodes.size()), seen(graph.nodes.size());
  const Observer observer = [&](int node, const Map& map) {
    if (map.region.h > 0) {
      EXPECT_EQ(map.region.y, rows[size_t(node)]) << graph.nodes[size_t(node)].name;
    }
    rows[size_t(node)] += map.region.h;
    ++seen[size_t(node)];
  };
  ASSERT_TRUE(executor->run(picture.map(), out.map(), pool, &observer));
  const auto shapes = infer_shapes(graph, {{1, 3, 50, 20}});
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    EXPECT_EQ(rows[n], (*shapes)[size_t(graph.nodes[n].output)][2]) << graph.nodes[n].name;
    EXPECT_EQ(seen[n], executor->pass_count());
  }
}

TEST(Bands, ANodeThatNeedsThePictureRunsWhole) {
  testing::Builder builder(3, 1);
  const Graph graph = builder.take(builder.global_average(builder.conv(0, 4, 3)));
  TestPicture picture(20, 20, 3);
  EXPECT_EQ(run(graph, nullptr, on(graph, "cpu.f32"), picture, 4, 1).passes, 1);
}

}  // namespace
}  // namespace fye
