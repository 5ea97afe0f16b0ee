#include "execute/plain.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/testing_sanitized.h"
#include "execute/testing_graphs.h"
#include "graph/region.h"
#include "kernels/reference/dense.h"

namespace fye {
namespace {

using testing::Builder;
using testing::FloatMap;
using testing::TestPicture;

std::vector<const Processor*> on(const Graph& graph, std::string_view name, Isa max) {
  return everywhere(graph, *find_processor(name, max));
}

// The output of a run as floats.
std::vector<float> run(const Graph& graph, const Calib* calib, std::span<const Processor* const> placement,
                       TestPicture& picture, int tile, int threads, Isa max) {
  auto executor = Executor::prepare(graph, calib, placement,
                                    {.height = picture.height, .width = picture.width, .tile = tile, .max = max});
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  if (!executor) return {};
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(threads);
  auto status = executor->run(picture.map(), out.map(), pool);
  EXPECT_TRUE(status) << (status ? "" : status.error().text());
  out.values.resize(size_t(out.height) * out.width * out.channels);
  return out.values;
}

// The dense oracle's output in the same order.
std::vector<float> oracle(const Graph& graph, const TestPicture& picture) {
  const int h = picture.height, w = picture.width, c = picture.channels;
  Dense in{{1, c, h, w}, std::vector<float>(size_t(h) * w * c)};
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int i = 0; i < c; ++i) in.values[size_t((i * h + y) * w + x)] = picture.bytes[size_t((y * w + x) * c + i)];
  auto out = reference_graph(graph, std::span(&in, 1));
  EXPECT_TRUE(out) << (out ? "" : out.error().text());
  const Dense& d = (*out)[0];
  const int64_t oc = d.shape[1], oh = d.shape[2], ow = d.shape[3];
  std::vector<float> values(d.values.size());
  for (int64_t i = 0; i < oc; ++i)
    for (int64_t p = 0; p < oh * ow; ++p) values[size_t(p * oc + i)] = d.values[size_t(i * oh * ow + p)];
  return values;
}

double worst(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double most = 0, scale = 1e-9;
  for (size_t i = 0; i < a.size(); ++i) {
    most = std::max(most, double(std::abs(a[i] - b[i])));
    scale = std::max(scale, double(std::abs(b[i])));
  }
  return most / scale;
}

std::vector<Isa> isas() {
  std::vector<Isa> list;
  for (Isa isa : kAllIsas)
    if (may_use(isa, active_isa())) list.push_back(isa);
  return list;
}

TEST(Executor, FloatEqualsTheDenseOracle) {
  for (const Graph& graph :
       {testing::small_abpn(3), testing::small_abpn(2), testing::small_abpn(4, 20), testing::branched()}) {
    TestPicture picture(19, 23, 3);
    const auto expected = oracle(graph, picture);
    for (Isa isa : isas())
      EXPECT_LE(worst(run(graph, nullptr, on(graph, "cpu.f32", isa), picture, 0, 2, isa), expected), 1e-4) << name(isa);
  }
}

TEST(Executor, EveryFormatTiledEqualsUntiledForAnyThreads) {
  for (const Graph& graph : {testing::small_abpn(3), testing::small_abpn(2, 20), testing::branched()}) {
    const Calib calib = testing::made_up_calib(graph);
    TestPicture picture(47, 58, 3);
    for (Isa isa : isas())
      for (const Processor* processor : processors(isa)) {
        if (processor->name() == "null") continue;
        const auto placement = everywhere(graph, processor);
        const auto whole = run(graph, &calib, placement, picture, 0, 1, isa);
        const int least = std::max(8, 2 * halo(graph));
        for (int tile : {least, least + 3, 33})
          for (int threads : {1, 3}) {
            if (testing::kSanitized && (tile > least) == (threads == 1)) continue;
            EXPECT_EQ(run(graph, &calib, placement, picture, std::max(tile, least), threads, isa), whole)
                << processor->name() << " tile " << tile << " threads " << threads << " " << name(isa);
          }
      }
  }
}

TEST(Executor, Int8IsTheSameOnEveryInstructionSet) {
  for (const Graph& graph : {testing::small_abpn(3, 28), testing::branched()}) {
    const Calib calib = testing::made_up_calib(graph);
    TestPicture picture(33, 47, 3);
    const auto expected = run(graph, &calib, on(graph, "cpu.int8", Isa::scalar), picture, 0, 1, Isa::scalar);
    for (Isa isa : isas())
      EXPECT_EQ(run(graph, &calib, on(graph, "cpu.int8", isa), picture, 0, 2, isa), expected) << name(isa);
  }
}

// Random mixtures: tiles and threads change nothing, and an all-float mixture is the float network.
RC_GTEST_PROP(Executor, AnyMixtureIsTileAndThreadIndependent, ()) {
  const Graph graph = *rc::gen::element(0, 1) ? testing::branched(*rc::gen::arbitrary<uint32_t>())
                                              : testing::small_abpn(2, *rc::gen::element(8, 17), *rc::gen::arbitrary<uint32_t>());
  const Calib calib = testing::made_up_calib(graph);
  const Isa isa = *rc::gen::elementOf(isas());
  std::vector<const Processor*> placement;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    placement.push_back(
        *find_processor(*rc::gen::element<std::string>("cpu.f32", "cpu.int8", "cpu.int8r16"), isa));
  TestPicture picture(*rc::gen::inRange(1, 50), *rc::gen::inRange(1, 50), 3);
  const int least = std::max(8, 2 * halo(graph));
  const int tile = *rc::gen::inRange(least, least + 40);
  RC_ASSERT(run(graph, &calib, placement, picture, 0, 1, isa) == run(graph, &calib, placement, picture, tile, 2, isa));
}

TEST(Executor, ArenaIsSmallerThanAllMapsAndTilesAreSmallerStill) {
  const Graph graph = testing::small_abpn(3);
  auto bytes = [&](int tile) {
    auto executor = Executor::prepare(graph, nullptr, on(graph, "cpu.f32", Isa::scalar),
                                      {.height = 200, .width = 200, .tile = tile, .max = Isa::scalar});
    return executor->arena_bytes();
  };
  // Maps of 3, 10, 10, 10, 27, 27 and 27 (the output) channels' worth, never more than those of 3 + 27 + 27 + 27 alive; a tenth
  // for margins and alignment.
  EXPECT_LT(bytes(0), size_t(200) * 200 * 4 * (3 + 27 + 27 + 27) * 11 / 10);
  EXPECT_LT(bytes(48), bytes(0) / 4);
}

TEST(Executor, ObserverSeesEveryNodeOnce) {
  const Graph graph = testing::branched();
  TestPicture picture(20, 20, 3);
  auto executor = Executor::prepare(graph, nullptr, on(graph, "cpu.f32", active_isa()), {.height = 20, .width = 20});
  ASSERT_TRUE(executor);
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(1);
  std::vector<int> seen;
  const Observer observer = [&](int node, const Map&) { seen.push_back(node); };
  ASSERT_TRUE(executor->run(picture.map(), out.map(), pool, &observer));
  ASSERT_EQ(seen.size(), graph.nodes.size());
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], int(i));
}

TEST(Executor, SmallTilesGlobalOpsAndMissingCalibrationAreRefused) {
  const Graph graph = testing::small_abpn();
  auto prepare = [](const Graph& g, const Calib* calib, std::string_view processor, int tile) {
    return Executor::prepare(g, calib, on(g, processor, active_isa()), {.height = 64, .width = 64, .tile = tile});
  };
  auto small = prepare(graph, nullptr, "cpu.f32", 9);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, ErrorCode::usage);
  EXPECT_NE(small.error().hint.find("10"), std::string::npos) << small.error().text();

  auto no_calib = prepare(graph, nullptr, "cpu.int8", 0);
  ASSERT_FALSE(no_calib);
  EXPECT_NE(no_calib.error().text().find("fye calibrate"), std::string::npos);

  Builder b(3, 1);
  const Graph global = b.take(b.global_average(b.conv(0, 4, 3)));
  auto tiled = prepare(global, nullptr, "cpu.f32", 32);
  ASSERT_FALSE(tiled);
  EXPECT_NE(tiled.error().what.find("gap"), std::string::npos);
  EXPECT_TRUE(prepare(global, nullptr, "cpu.f32", 0));
}

TEST(Processors, UnknownNameListsThoseThere) {
  auto missing = find_processor("npu.int4", active_isa());
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().hint.find("cpu.int8"), std::string::npos);
}

}  // namespace
}  // namespace fye
