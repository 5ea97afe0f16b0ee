#include "execute/stepper.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>

#include "execute/plain.h"
#include "execute/testing_graphs.h"

namespace fye {
namespace {

using testing::FloatMap;
using testing::TestPicture;

const Processor* named(std::string_view name) { return *find_processor(name, active_isa()); }

// A run of the executor as floats, rows packed.
std::vector<float> executed(const Graph& graph, const Calib& calib,
                            std::span<const Processor* const> placement, TestPicture& picture) {
  auto executor =
      Executor::prepare(graph, &calib, placement, {.height = picture.height, .width = picture.width});
  EXPECT_TRUE(executor) << executor.error().text();
  FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  ThreadPool pool(2);
  EXPECT_TRUE(executor->run(picture.map(), out.map(), pool));
  out.values.resize(size_t(out.height) * out.width * out.channels);
  return out.values;
}

std::vector<float> as_floats(const Map& map) {
  std::vector<float> values;
  for (int y = 0; y < map.region.h; ++y)
    for (int x = 0; x < map.region.w; ++x)
      for (int c = 0; c < map.channels; ++c) {
        if (map.type == DType::u8)
          values.push_back(map.quant.scale * float(map.at<const uint8_t>(y, x)[c] - map.quant.zero));
        else
          values.push_back(map.at<const float>(y, x)[c]);
      }
  return values;
}

RC_GTEST_PROP(Stepper, EqualsTheExecutorForAnyPlacement, ()) {
  const Graph graph = *rc::gen::arbitrary<bool>() ? testing::branched() : testing::small_abpn();
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(20, 17, 3, *rc::gen::arbitrary<uint32_t>());
  ThreadPool pool(1);
  auto stepper = Stepper::create(graph, &calib, named("cpu.f32"), picture.map(), pool);
  RC_ASSERT(bool(stepper));
  for (int again = 0; again < 3; ++again) {
    std::vector<const Processor*> placement;
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      placement.push_back(named(*rc::gen::element("cpu.f32", "cpu.int8")));
    const auto out = stepper->output(placement);
    RC_ASSERT(bool(out));
    RC_ASSERT(as_floats(*out) == executed(graph, calib, placement, picture));
  }
  RC_ASSERT(as_floats(stepper->base_output()) ==
            executed(graph, calib, everywhere(graph, named("cpu.f32")), picture));
}

TEST(Stepper, ADetourEqualsANodeThatOnlyRounds) {
  // relu after relu changes nothing; on cpu.int8 all it does is to store the tensor as bytes.
  testing::Builder with(3, 1), without(3, 1);
  const auto head = with.conv(0, 8, 3), plain = without.conv(0, 8, 3);
  const TensorId rounded = with.relu(with.nearest(head, 1));
  const Graph long_way = with.take(with.conv(rounded, 3, 3)),
              short_way = without.take(without.conv(without.relu(plain), 3, 3));
  Calib calib = testing::made_up_calib(long_way);
  const std::string tensor = short_way.tensors[size_t(short_way.nodes[0].output)].name;
  TestPicture picture(12, 14, 3);
  ThreadPool pool(1);
  auto stepper = Stepper::create(short_way, nullptr, named("cpu.f32"), picture.map(), pool);
  ASSERT_TRUE(stepper) << stepper.error().text();
  const Quant quant{0.5f, 10};
  const TensorId crossing = short_way.nodes[0].output;
  const Detour detour{crossing, {DType::u8, quant}, {}};
  const auto out = stepper->output(everywhere(short_way, named("cpu.f32")), std::span(&detour, 1));
  ASSERT_TRUE(out) << out.error().text();
  const std::vector<float> detoured = as_floats(*out), exact = as_floats(stepper->base_output());
  EXPECT_NE(detoured, exact);
  double worst = 0;
  for (size_t i = 0; i < exact.size(); ++i) worst = std::max(worst, double(std::abs(exact[i] - detoured[i])));
  // Half a step of 0.5 at most, through 72 weights a channel; and a clipped top.
  EXPECT_GT(worst, 0.01);

  // A detour for a node that does not read it changes nothing.
  const Detour nobody{crossing, {DType::u8, quant}, {0}};
  const auto same = stepper->output(everywhere(short_way, named("cpu.f32")), std::span(&nobody, 1));
  ASSERT_TRUE(same);
  EXPECT_EQ(as_floats(*same), exact);
}

TEST(Stepper, ADetourForOneReaderLeavesTheOthersAlone) {
  const Graph graph = testing::branched();
  const Calib calib = testing::made_up_calib(graph);
  TestPicture picture(16, 16, 3);
  ThreadPool pool(1);
  auto stepper = Stepper::create(graph, &calib, named("cpu.f32"), picture.map(), pool);
  ASSERT_TRUE(stepper) << stepper.error().text();
  // The head is read by three nodes.
  const TensorId head = graph.nodes[0].output;
  const std::vector<int> readers = graph.consumers(head);
  ASSERT_GE(readers.size(), 2u);
  const Stored bytes{DType::u8, calib.tensors.at(graph.tensors[size_t(head)].name)};
  const auto everything = everywhere(graph, named("cpu.f32"));
  std::vector<std::vector<float>> seen;
  for (const int reader : readers) {
    const Detour detour{head, bytes, {reader}};
    const auto out = stepper->output(everything, std::span(&detour, 1));
    ASSERT_TRUE(out);
    seen.push_back(as_floats(*out));
  }
  const Detour all{head, bytes, {}};
  const auto out = stepper->output(everything, std::span(&all, 1));
  ASSERT_TRUE(out);
  seen.push_back(as_floats(*out));
  for (size_t i = 0; i < seen.size(); ++i)
    for (size_t k = 0; k < i; ++k) EXPECT_NE(seen[i], seen[k]);
}

TEST(Stepper, SaysWhatItCantDo) {
  const Graph graph = testing::small_abpn();
  TestPicture picture(12, 12, 4);
  ThreadPool pool(1);
  EXPECT_FALSE(Stepper::create(graph, nullptr, named("cpu.f32"), picture.map(), pool));  // 4 channels
  TestPicture right(12, 12, 3);
  auto stepper = Stepper::create(graph, nullptr, named("cpu.f32"), right.map(), pool);
  ASSERT_TRUE(stepper);
  const auto out = stepper->output(everywhere(graph, named("cpu.int8")));  // no calibration
  ASSERT_FALSE(out);
  EXPECT_NE(out.error().what.find("calibration"), std::string::npos) << out.error().what;
}

}  // namespace
}  // namespace fye
