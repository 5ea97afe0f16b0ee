#include "graph/units.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include "graph/builder.h"
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

// `layers` convolutions of 4 channels, each reading the input of the block and all before it, and one that ends
// the block with a residual addition, as in ESRGAN.
TensorId dense_block(GraphBuilder& b, TensorId x, int layers, const std::string& name) {
  std::vector<TensorId> all = {x};
  const auto conv = [&](int i, TensorId in, int64_t out) {
    const int64_t channels = b.shape(in)[1];
    Conv op{.kernel_h = 1, .kernel_w = 1};
    op.weight = b.constant({out, channels, 1, 1}, std::vector<float>(size_t(out * channels), 0.1f));
    op.bias = b.constant({out}, std::vector<float>(size_t(out)));
    return b.node(name + ".conv" + std::to_string(i), op, {in});
  };
  for (int i = 0; i < layers; ++i)
    all.push_back(conv(i, i ? b.node(name + ".concat" + std::to_string(i), Concat{}, all) : x, 4));
  const TensorId last = conv(layers, b.node(name + ".concat", Concat{}, all), b.shape(x)[1]);
  return b.node(name + ".add", Binary{}, {last, x});
}

TEST(Units, ADenseBlockIsOne) {
  GraphBuilder b;
  TensorId x = b.input("input", {1, 3, -1, -1});
  for (int i = 0; i < 3; ++i) x = dense_block(b, x, 4, "block" + std::to_string(i));
  const auto units = units_of(fuse(b.finish({x})));
  ASSERT_EQ(units.size(), 3u);
  EXPECT_EQ(units[1].name, "block1.conv0");
  EXPECT_EQ(units[1].nodes.size(), units[2].nodes.size());
}

TEST(Units, BranchesThatAreJoinedStayApart) {
  GraphBuilder b;
  const TensorId x = b.input("input", {1, 4, -1, -1});
  const auto conv = [&](const std::string& name, TensorId in) {
    const int64_t channels = b.shape(in)[1];
    Conv op;
    op.weight = b.constant({4, channels, 1, 1}, std::vector<float>(size_t(4 * channels), 0.1f));
    op.bias = b.constant({4}, std::vector<float>(4));
    return b.node(name, op, {in});
  };
  const TensorId left = conv("left", x), right = conv("right", x);
  const auto units = units_of(fuse(b.finish({conv("end", b.node("join", Concat{}, {left, right}))})));
  EXPECT_EQ(units.size(), 3u);  // the block's own input is not among what is joined
}

TEST(Units, EveryNodeOnce) {
  EXPECT_TRUE(rc::check("units partition the nodes in order", [] {
    const Graph graph = fuse(random_graph(*rc::gen::arbitrary<uint64_t>(), {.global = true}));
    int next = 0;
    for (const Unit& unit : units_of(graph)) {
      RC_ASSERT(!unit.nodes.empty());
      int convolutions = 0;
      bool joined = false;  // only what a concatenation joins may have more than one
      for (const int node : unit.nodes) {
        RC_ASSERT(node == next++);
        const Node& n = graph.nodes[static_cast<size_t>(node)];
        convolutions += n.as<Conv>() || n.as<ConvTranspose>() || n.as<Gemm>();
        joined = joined || n.as<Concat>();
      }
      RC_ASSERT(convolutions <= 1 || joined);
    }
    RC_ASSERT(next == static_cast<int>(graph.nodes.size()));
  }));
}

}  // namespace
}  // namespace fye
