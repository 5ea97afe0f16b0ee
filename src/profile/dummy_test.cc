#include "profile/dummy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "execute/plain.h"
#include "execute/testing_graphs.h"
#include "graph/passes/passes.h"
#include "graph/zoo.h"

namespace fye {
namespace {

const Processor* named(std::string_view name) { return *find_processor(name, active_isa()); }

std::vector<Shape> shapes_at(const Graph& graph, int height, int width) {
  const Shape& input = graph.tensors[size_t(graph.inputs[0])].shape;
  return *infer_shapes(graph, {{1, input[1], height, width}});
}

// Runs; the values of every node by name.
std::map<std::string, std::vector<float>> run(const DummyNet& net, const Processor* processor) {
  auto executor = Executor::prepare(net.graph, &net.calib, everywhere(net.graph, processor),
                                    {.height = net.height, .width = net.width});
  EXPECT_TRUE(executor) << (executor ? "" : executor.error().text());
  if (!executor) return {};
  testing::TestPicture in(net.height, net.width, 4);
  testing::FloatMap out(executor->out_height(), executor->out_width(), executor->out_channels());
  std::map<std::string, std::vector<float>> seen;
  const Observer observer = [&](int node, const Map& map) {
    auto& values = seen[net.graph.nodes[size_t(node)].name];
    for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
      for (int x = 0; x < map.region.w; ++x)
        for (int c = 0; c < map.channels; ++c)
          values.push_back(map.type == DType::f32 ? map.at<const float>(y, x)[c]
                                                  : float(map.at<const uint8_t>(y, x)[c]));
  };
  ThreadPool pool(1);
  EXPECT_TRUE(executor->run(in.map(), out.map(), pool, &observer));
  return seen;
}

TEST(Dummy, EveryUnitOfTheZooRunsBetweenDummies) {
  std::vector<Graph> zoo;
  zoo.push_back(fuse(abpn(3, random_weights(1))));
  zoo.push_back(fuse(srcnn(3, random_weights(2))));
  zoo.push_back(fuse(srvgg(4, 8, 2, random_weights(3))));
  zoo.push_back(testing::branched());
  for (const Graph& graph : zoo) {
    const auto shapes = shapes_at(graph, 24, 32);
    const Calib calib = testing::made_up_calib(graph);
    for (const Unit& unit : units_of(graph)) {
      const auto base = dummy_net(graph, &calib, unit, shapes, 0, 2);
      ASSERT_TRUE(base) << unit.name << ": " << base.error().text();
      const auto with = dummy_net(graph, &calib, unit, shapes, 2, 2);
      ASSERT_TRUE(with) << unit.name << ": " << with.error().text();
      // They differ by the copies alone.
      EXPECT_EQ(with->graph.nodes.size(), base->graph.nodes.size() + 2 * unit.nodes.size());
      for (const char* processor : {"cpu.f32", "cpu.int8"}) {
        const auto seen = run(*with, named(processor));
        ASSERT_FALSE(seen.empty());
        for (int node : unit.nodes) {
          const std::string& name = graph.nodes[size_t(node)].name;
          EXPECT_EQ(seen.at("copy0." + name), seen.at("copy1." + name)) << unit.name;
          EXPECT_FALSE(seen.at("copy0." + name).empty());
        }
      }
    }
  }
}

TEST(Dummy, TensorsInAndOutOfAUnit) {
  const Graph graph = testing::branched();
  std::set<TensorId> into, out;
  for (const Unit& unit : units_of(graph)) {
    for (TensorId t : tensors_into(graph, unit)) into.insert(t);
    for (TensorId t : tensors_out_of(graph, unit)) out.insert(t);
  }
  // What some unit reads from outside is the network's input or what another one gives away, and nothing is
  // given away that nobody reads.
  into.erase(graph.inputs[0]);
  out.erase(graph.outputs[0]);
  EXPECT_EQ(into, out);
}

TEST(Dummy, SignaturesTellWorkApartAndNamesDoNot) {
  const Graph graph = fuse(edsr_baseline_x2(random_weights(4)));
  const auto shapes = shapes_at(graph, 16, 16);
  const Calib calib = testing::made_up_calib(graph);
  for (const char* processor : {"cpu.f32", "cpu.int8"}) {
    std::map<std::string, std::vector<std::string>> groups;
    for (const Unit& unit : units_of(graph)) {
      const auto signature = signature_of(graph, &calib, unit, shapes, *named(processor));
      ASSERT_TRUE(signature) << signature.error().text();
      groups[*signature].push_back(unit.name);
    }
    // head, the blocks' first and second convolutions, body (as the second), up, tail; integer kernels may
    // differ by the weights.
    EXPECT_GE(groups.size(), 5u) << processor;
    EXPECT_LE(groups.size(), 8u) << processor;
    for (const auto& [signature, names] : groups)
      for (const std::string& name : names)
        EXPECT_EQ(name.find("conv1") == std::string::npos, names[0].find("conv1") == std::string::npos);
  }
}

TEST(Dummy, AUnitThatCantBeTakenOutSaysWhy) {
  testing::Builder b(3, 1);
  const TensorId small = b.conv(0, 4, 3, 2);  // 11 x 11 from 21 x 21: no whole multiple
  const TensorId wide = b.conv(0, 8, 3);
  const Graph graph = b.take(b.conv(b.concat(b.conv(wide, 4, 3, 2), b.conv(small, 4, 1)), 3, 3));
  const auto shapes = shapes_at(graph, 21, 21);
  Unit odd{"odd", {}};
  for (int n = 0; n < int(graph.nodes.size()); ++n) {
    const TensorId input = graph.nodes[size_t(n)].inputs[0];
    if (input != graph.inputs[0] && graph.nodes[size_t(n)].as<Conv>() && graph.producer(input) != kNone &&
        graph.nodes[size_t(graph.producer(input))].as<Conv>())
      odd.nodes.push_back(n);
  }
  ASSERT_EQ(odd.nodes.size(), 2u);  // one reads the map of 21, one that of 11
  const auto net = dummy_net(graph, nullptr, odd, shapes, 1, 1);
  ASSERT_FALSE(net);
  EXPECT_NE(net.error().what.find("whole multiple"), std::string::npos) << net.error().what;
}

}  // namespace
}  // namespace fye
