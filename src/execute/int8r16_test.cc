// int8r16 as a whole: one answer on every instruction set and by every way through the picture, the
// simulation's.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/testing_sanitized.h"
#include "execute/calibrate.h"
#include "execute/fidelity.h"
#include "execute/plain.h"
#include "execute/simulate.h"
#include "execute/testing_graphs.h"
#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/region.h"
#include "graph/trunk.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using testing::Builder;
using testing::FloatMap;
using testing::TestPicture;

std::vector<Isa> isas() {
  std::vector<Isa> list;
  for (const Isa isa : kAllIsas)
    if (may_use(isa, active_isa())) list.push_back(isa);
  return list;
}

// Short and long skips, activations in the blocks and on the trunk, a block of one convolution (whose
// residual is its own input), a sum that can't be fused, a concatenation of the trunk, a skip from the
// picture.
Graph trunks_in_little(uint32_t seed = 1, int channels = 12) {
  Builder b(3, seed);
  const TensorId head = b.conv(0, channels, 3);
  TensorId x = b.add(b.conv(b.relu(b.conv(head, 9, 3)), channels, 3), head);
  x = b.add(b.conv(b.leaky(b.conv(x, 8, 1), 0.2f), channels, 3), x);
  x = b.relu(b.add(b.leaky(b.conv(x, channels, 3), 0.1f), x));
  x = b.add(x, b.add(b.nearest(b.conv(x, channels, 3, 2), 2), head));
  x = b.conv(b.concat(x, b.conv(x, 5, 1)), channels, 3);
  x = b.add(b.conv(x, channels, 3), head);
  return b.take(b.clip(b.shuffle(b.conv(x, 12, 3), 2, true), 0, 255));
}

struct Way {
  int tile = 0, band = 0, threads = 1;
  Isa max = Isa::scalar;
};

std::vector<float> run(const Graph& graph, const Calib& calib, std::span<const Processor* const> placement,
                       TestPicture& picture, const Way& way, const Observer* observer = nullptr) {
  auto executor = Executor::prepare(
      graph, &calib, placement,
      {.height = picture.height, .width = picture.width, .tile = way.tile, .band = way.band, .max = way.max});
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  if (!executor) return {};
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(way.threads);
  EXPECT_TRUE(executor->run(picture.map(), out.map(), pool, observer));
  out.values.resize(size_t(out.height) * out.width * out.channels);
  return out.values;
}

std::vector<const Processor*> on(const Graph& graph, std::string_view name, Isa max) {
  return everywhere(graph, *find_processor(name, max));
}

TEST(Int8r16, TheSameBitsOnEveryInstructionSetAndEveryWay) {
  const Graph edsr = fuse(edsr_baseline_x2(random_weights(3)));
  for (const Graph& graph : {trunks_in_little(1), trunks_in_little(2, 64), edsr}) {
    const Calib calib = testing::made_up_calib(graph);
    const bool large = graph.nodes.size() > 30;
    // Even, for the stride of 2.
    TestPicture picture(large ? 6 : 46, large ? 8 : 38, 3);
    const auto expected = run(graph, calib, on(graph, "cpu.int8r16", Isa::scalar), picture, {});
    EXPECT_NE(run(graph, calib, on(graph, "cpu.int8", Isa::scalar), picture, {}), expected);
    const int least = std::max(8, 2 * halo(graph));
    for (const Isa isa : isas()) {
      if (testing::kSanitized && large && isa != isas().back()) continue;
      for (const Way& way : {Way{.threads = 2, .max = isa}, Way{.band = 1, .threads = 3, .max = isa},
                             Way{.band = 7, .max = isa}, Way{.tile = least, .threads = 2, .max = isa}})
        EXPECT_EQ(run(graph, calib, on(graph, "cpu.int8r16", isa), picture, way), expected)
            << name(isa) << " tile " << way.tile << " band " << way.band;
    }
  }
}

// A map as the simulation has it.
StoredTensor stored(const Map& map) {
  StoredTensor tensor{map.type == DType::u8    ? Numbers::int8
                      : map.type == DType::s16 ? Numbers::int8r16
                                               : Numbers::f32,
                      map.quant,
                      {{1, map.channels, map.region.h, map.region.w}, {}}};
  for (int c = 0; c < map.channels; ++c)
    for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
      for (int x = map.region.x; x < map.region.x + map.region.w; ++x)
        tensor.dense.values.push_back(map.type == DType::u8    ? float(map.at<uint8_t>(y, x)[c])
                                      : map.type == DType::s16 ? float(map.at<int16_t>(y, x)[c])
                                                               : map.at<float>(y, x)[c]);
  return tensor;
}

// The runtime with reference kernels against the simulation, tensor by tensor; returns how many were s16.
int expect_simulated(const Graph& graph, const Calib& calib, std::span<const Numbers> numbers,
                     TestPicture& picture) {
  std::vector<const Processor*> placement;
  for (const Numbers each : numbers)
    placement.push_back(*find_processor("cpu." + std::string(name(each)), Isa::scalar));
  const auto expected = simulate(graph, &calib, numbers, stored(picture.map()));
  EXPECT_TRUE(expected) << (expected ? "" : expected.error().text());
  int wide = 0;
  const Observer observer = [&](int node, const Map& out) {
    const StoredTensor got = stored(out), &want = (*expected)[size_t(graph.nodes[size_t(node)].output)];
    wide += got.numbers == Numbers::int8r16;
    EXPECT_EQ(got.numbers, want.numbers) << graph.nodes[size_t(node)].name;
    EXPECT_EQ(got.quant, want.quant) << graph.nodes[size_t(node)].name;
    EXPECT_EQ(got.dense.values, want.dense.values) << graph.nodes[size_t(node)].name;
  };
  run(graph, calib, placement, picture, {}, &observer);
  return wide;
}

TEST(Int8r16, IsWhatTheSimulationSays) {
  const Graph graph = trunks_in_little();
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(12, 10, 3);
  const std::vector<Numbers> all(graph.nodes.size(), Numbers::int8r16);
  const Trunks trunks = find_trunks(graph, calib.tensors);
  EXPECT_GT(trunks.count, 0);
  EXPECT_EQ(expect_simulated(graph, calib, all, picture),
            std::count(trunks.wide.begin(), trunks.wide.end(), true));
}

RC_GTEST_PROP(Int8r16, AnyMixtureIsWhatTheSimulationSays, ()) {
  const Graph graph = trunks_in_little(*rc::gen::arbitrary<uint32_t>(), *rc::gen::inRange(1, 20));
  Calib calib = testing::made_up_calib(graph, *rc::gen::arbitrary<uint32_t>());
  if (*rc::gen::arbitrary<bool>()) calib.scale16[graph.tensors[size_t(graph.nodes[0].output)].name] = 0.01f;
  std::vector<Numbers> numbers;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    numbers.push_back(*rc::gen::element(Numbers::f32, Numbers::int8, Numbers::int8r16, Numbers::int8r16));
  TestPicture picture(2 * *rc::gen::inRange(1, 6), 2 * *rc::gen::inRange(1, 6), 3,
                      *rc::gen::arbitrary<uint32_t>());
  expect_simulated(graph, calib, numbers, picture);
}

// A calibration of whatever pictures give, for graphs whose tensors may be anything.
Result<Calib> calibrated(const Graph& graph, TestPicture& picture) {
  ThreadPool pool(1);
  const Map maps[] = {picture.map()};
  return calibrate(graph, maps, {.method = CalibrationMethod::naive}, pool, {}, nullptr);
}

RC_GTEST_PROP(Int8r16, RandomGraphsInAnyMixtureByAnyWay, ()) {
  const Graph graph =
      fuse(random_graph(*rc::gen::arbitrary<uint32_t>(), {.nodes = *rc::gen::inRange(4, 20)}));
  TestPicture picture(16, 16, int(graph.tensors[size_t(graph.inputs[0])].shape[1]));
  const auto calib = calibrated(graph, picture);
  RC_PRE(bool(calib));
  const Isa isa = *rc::gen::elementOf(isas());
  const Processor* wide = *find_processor("cpu.int8r16", isa);
  const Processor* others[] = {*find_processor("cpu.f32", isa), *find_processor("cpu.int8", isa)};
  std::vector<const Processor*> placement;
  for (const Node& node : graph.nodes) {
    const Processor* wish = *rc::gen::element(wide, wide, others[0], others[1]);
    placement.push_back(wish->supports(graph, node).empty() ? wish : others[0]);
  }
  const auto whole = run(graph, *calib, placement, picture, {.max = isa});
  const Way banded{.band = *rc::gen::inRange(1, 17), .threads = *rc::gen::inRange(1, 4), .max = isa};
  RC_ASSERT(run(graph, *calib, placement, picture, banded) == whole);
}

// As in trained networks, each block adds little to a trunk that u8 rounds again after every add.
TEST(Int8r16, IsCloserToFloatThanInt8) {
  const WeightSource some = random_weights(5);
  const Graph graph = fuse(edsr_baseline_x2([&](const std::string& name, const Shape& shape) {
    std::vector<float> values = some(name, shape);
    if (name.ends_with("conv2.weight"))
      for (float& v : values) v *= 0.05f;
    return values;
  }));
  TestPicture picture(24, 24, 3);
  auto calib = calibrated(graph, picture);
  ASSERT_TRUE(calib) << calib.error().text();
  EXPECT_FALSE(calib->scale16.empty());
  const auto real = run(graph, *calib, on(graph, "cpu.f32", active_isa()), picture, {.max = active_isa()});
  const auto error = [&](std::string_view processor) {
    const auto got = run(graph, *calib, on(graph, processor, active_isa()), picture, {.max = active_isa()});
    double sum = 0;
    for (size_t i = 0; i < real.size(); ++i) sum += double(got[i] - real[i]) * double(got[i] - real[i]);
    return sum;
  };
  const double wide = error("cpu.int8r16");
  EXPECT_LT(wide, error("cpu.int8"));
  calib->scale16.clear();  // a scale derived from the u8 grids does about as well
  EXPECT_LT(error("cpu.int8r16"), 1.5 * wide);
}

TEST(Int8r16, WithoutATrunkItIsInt8) {
  const Graph graph = testing::small_abpn(3);
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(20, 30, 3);
  EXPECT_EQ(run(graph, calib, on(graph, "cpu.int8r16", active_isa()), picture, {.max = active_isa()}),
            run(graph, calib, on(graph, "cpu.int8", active_isa()), picture, {.max = active_isa()}));
}

TEST(Int8r16, AsksForACalibration) {
  const Graph graph = trunks_in_little();
  const auto placement = on(graph, "cpu.int8r16", active_isa());
  const auto none = Executor::prepare(graph, nullptr, placement, {.height = 16, .width = 16});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text().find("cpu.int8r16 needs a calibration"), std::string::npos)
      << none.error().text();
  Calib calib = testing::made_up_calib(graph);
  calib.tensors.erase(graph.tensors[size_t(graph.nodes[1].output)].name);
  EXPECT_FALSE(Executor::prepare(graph, &calib, placement, {.height = 16, .width = 16}));
}

}  // namespace
}  // namespace fye
