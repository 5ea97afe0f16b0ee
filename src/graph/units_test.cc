#include "graph/units.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/zoo.h"

namespace fye {
namespace {

TEST(Units, OfKnownNetworks) {
  const WeightSource weights = random_weights(1);
  EXPECT_EQ(units_of(fuse(abpn(3, weights))).size(), 7);
  EXPECT_EQ(units_of(fuse(srcnn(2, weights))).size(), 3);
  EXPECT_EQ(units_of(fuse(edsr_baseline_x2(weights))).size(), 36);
  EXPECT_EQ(units_of(fuse(srvgg(4, 8, 16, weights))).size(), 18);
  EXPECT_EQ(units_of(fuse(small_classifier(32, weights))).size(), 4);
}

TEST(Units, NamedByTheirConvolution) {
  const auto units = units_of(fuse(edsr_baseline_x2(random_weights(1))));
  EXPECT_EQ(units[0].name, "head");
  EXPECT_EQ(units[0].nodes, (std::vector<int>{0, 1}));  // the mean shift belongs to it
  EXPECT_EQ(units[1].name, "block0.conv1");
  EXPECT_EQ(units[35].name, "tail");
}

TEST(Units, EveryNodeOnce) {
  EXPECT_TRUE(rc::check("units partition the nodes in order", [] {
    const Graph graph = fuse(random_graph(*rc::gen::arbitrary<uint64_t>(), {.global = true}));
    int next = 0;
    for (const Unit& unit : units_of(graph)) {
      RC_ASSERT(!unit.nodes.empty());
      int convolutions = 0;
      for (const int node : unit.nodes) {
        RC_ASSERT(node == next++);
        const Node& n = graph.nodes[static_cast<size_t>(node)];
        convolutions += n.as<Conv>() || n.as<ConvTranspose>() || n.as<Gemm>();
      }
      RC_ASSERT(convolutions <= 1);
    }
    RC_ASSERT(next == static_cast<int>(graph.nodes.size()));
  }));
}

}  // namespace
}  // namespace fye
