// Regions against each op's own index arithmetic: every input pixel that one output pixel reads, found by
// walking the taps.
#include "graph/region.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <cmath>

#include "graph/passes/passes.h"
#include "graph/random_graph.h"
#include "graph/shapes.h"
#include "graph/zoo.h"

namespace fye {
namespace {

// Adds position i of an axis of `size` to the span [lo, hi] if it is inside.
struct Reads {
  int size, lo = 1 << 30, hi = -1;
  void read(int i) {
    if (i < 0 || i >= size) return;
    lo = std::min(lo, i), hi = std::max(hi, i);
  }
  void read_clamped(int i) { read(std::clamp(i, 0, size - 1)); }
};

struct Axis {
  bool vertical;
  int which, out, in_size, out_size;
  Reads reads{in_size};

  int pick(int h, int w) const { return vertical ? h : w; }
  template <class Op>
  void window(const Op& op) {
    for (int k = 0; k < pick(op.kernel_h, op.kernel_w); ++k)
      reads.read(out * pick(op.stride_h, op.stride_w) - pick(op.pad_top, op.pad_left) +
                 k * pick(op.dilation_h, op.dilation_w));
  }
  void operator()(const Conv& op) { which == 1 ? reads.read(out) : window(op); }
  void operator()(const Pool& op) { window(op); }
  // Scatter: which inputs write this output.
  void operator()(const ConvTranspose& op) {
    for (int i = 0; i < in_size; ++i)
      for (int k = 0; k < pick(op.kernel_h, op.kernel_w); ++k)
        if (i * pick(op.stride_h, op.stride_w) - pick(op.pad_top, op.pad_left) +
                k * pick(op.dilation_h, op.dilation_w) ==
            out)
          reads.read(i);
  }
  void operator()(const DepthToSpace& op) {
    for (int i = 0; i < in_size; ++i)
      for (int d = 0; d < op.block; ++d)
        if (i * op.block + d == out) reads.read(i);
  }
  void operator()(const Resize& op) {
    const int factor = pick(op.factor_h, op.factor_w);
    if (op.kind == Resize::Kind::nearest)
      return reads.read(static_cast<int>(std::floor(static_cast<double>(out) / factor)));
    const int base = static_cast<int>(std::floor((out + 0.5) / factor - 0.5));
    for (int tap = -1; tap <= 2; ++tap) reads.read_clamped(base + tap);
  }
  void operator()(const Binary&) { reads.read(in_size == 1 ? 0 : out); }
  void all() {
    for (int i = 0; i < in_size; ++i) reads.read(i);
  }
  void operator()(const GlobalAveragePool&) { all(); }
  void operator()(const Gemm&) { all(); }
  void operator()(const Reshape&) { all(); }
  void operator()(const Softmax& op) { op.axis == 1 ? reads.read(out) : all(); }
  void operator()(const Concat& op) { op.axis == 1 ? reads.read(out) : all(); }
  void operator()(const Elementwise&) { reads.read(out); }
  void operator()(const Affine&) { reads.read(out); }
};

// What the taps of all outputs of `out` read, as a region; empty if none is inside the map.
Region walked(const Node& node, int which, const Region& out, int in_h, int in_w) {
  const auto along = [&](bool vertical, int begin, int count, int size) {
    Reads all{size};
    for (int o = begin; o < begin + count; ++o) {
      Axis axis{vertical, which, o, size, 0};
      std::visit([&](const auto& op) { axis(op); }, node.op);
      if (axis.reads.hi >= 0) all.read(axis.reads.lo), all.read(axis.reads.hi);
    }
    return all;
  };
  const Reads rows = along(true, out.y, out.h, in_h), columns = along(false, out.x, out.w, in_w);
  if (rows.hi < 0 || columns.hi < 0) return {};
  return {rows.lo, columns.lo, rows.hi - rows.lo + 1, columns.hi - columns.lo + 1};
}

// A tap in the middle of a dilated or strided window may be the only one inside, so a region may be larger
// than what is read at the map's edge, never smaller; away from edges it is exact up to the holes of
// transposed convolutions.
TEST(Region, CoversWhatIsRead) {
  EXPECT_TRUE(rc::check("input_region covers every tap", [] {
    const Graph graph = random_graph(*rc::gen::arbitrary<uint64_t>(), {.nodes = 6, .global = true});
    const auto shapes = infer_shapes(graph, {{1, graph.tensors[graph.inputs[0]].shape[1], 19, 22}});
    RC_ASSERT(static_cast<bool>(shapes));
    for (const Node& node : graph.nodes) {
      const auto map = [&](TensorId id) {
        const Shape& s = (*shapes)[id];
        return s.size() == 4 ? std::pair{static_cast<int>(s[2]), static_cast<int>(s[3])} : std::pair{1, 1};
      };
      const auto [h, w] = map(node.output);
      const Region out{*rc::gen::inRange(0, h), *rc::gen::inRange(0, w), 1, 1};
      const Region larger{out.y, out.x, std::min(2, h - out.y), std::min(3, w - out.x)};
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const auto [in_h, in_w] = map(node.inputs[i]);
        for (const Region& asked : {out, larger}) {
          const Region region = input_region(node, static_cast<int>(i), asked, in_h, in_w);
          const Region read = walked(node, static_cast<int>(i), asked, in_h, in_w);
          RC_ASSERT((Region{0, 0, in_h, in_w}).contains(region));
          if (read.h > 0) RC_ASSERT(region.contains(read));
        }
      }
    }
  }));
}

TEST(Region, ExactOnPlainWindows) {
  const Node conv{
      "c", {0}, 1, Conv{.kernel_h = 3, .kernel_w = 5, .stride_w = 2, .pad_top = 1, .pad_left = 2}};
  for (int y = 0; y < 9; ++y)
    for (int x = 0; x < 5; ++x) {
      const Region out{y, x, 1, 1};
      EXPECT_EQ(input_region(conv, 0, out, 9, 10), walked(conv, 0, out, 9, 10)) << y << "," << x;
    }
  EXPECT_EQ(input_region(conv, 1, {2, 3, 4, 5}, 9, 10), (Region{2, 3, 4, 5}));
}

TEST(Region, ExactOnShuffleAndResize) {
  const Node nodes[] = {{"s", {0}, 1, DepthToSpace{.block = 3}},
                        {"n", {0}, 1, Resize{.factor_h = 3, .factor_w = 3}},
                        {"b", {0}, 1, Resize{.kind = Resize::Kind::bicubic, .factor_h = 3, .factor_w = 3}}};
  for (const Node& node : nodes)
    for (int y = 0; y < 21; ++y)
      for (int h = 1; h <= 21 - y; ++h) {
        const Region out{y, 20 - y, h, 1};
        EXPECT_EQ(input_region(node, 0, out, 7, 7), walked(node, 0, out, 7, 7)) << node.name << y << "+" << h;
      }
}

TEST(Region, EmptyStaysEmpty) {
  const Node conv{"c", {0}, 1, Conv{.kernel_h = 3, .kernel_w = 3}};
  EXPECT_EQ(input_region(conv, 0, {5, 5, 0, 3}, 9, 9).h, 0);
}

TEST(Region, Cover) {
  EXPECT_EQ(cover({0, 0, 2, 2}, {4, 1, 1, 5}), (Region{0, 0, 5, 6}));
  EXPECT_EQ(cover({}, {4, 1, 1, 5}), (Region{4, 1, 1, 5}));
  EXPECT_EQ(cover({4, 1, 1, 5}, {9, 9, 0, 0}), (Region{4, 1, 1, 5}));
}

TEST(Reach, OfKnownNetworks) {
  const WeightSource weights = random_weights(1);
  const struct {
    Graph graph;
    int factor, halo;
  } cases[] = {{abpn(2, weights), 2, 7},
               {abpn(3, weights), 3, 7},
               {edsr_baseline_x2(weights), 2, 36},
               {srcnn(2, weights), 1, 6},
               {srcnn(2, weights, 5), 1, 8},
               {srvgg(4, 8, 16, weights), 4, 18}};
  for (const auto& [graph, factor, reach] : cases) {
    for (const Graph& form : {graph, fuse(graph)}) {
      const auto got = upscale_factor(form);
      ASSERT_TRUE(got) << got.error().what;
      EXPECT_EQ(*got, factor);
      EXPECT_EQ(halo(form), reach);
    }
  }
}

TEST(Reach, NoEnlargement) {
  const Graph classifier = small_classifier(64, random_weights(1));
  EXPECT_FALSE(upscale_factor(classifier));
  EXPECT_EQ(halo(classifier), 2304);
}

TEST(Grain, BoundariesAroundEveryRow) {
  for (int size : {1, 2, 4, 7})
    for (int row = 0; row < size; ++row)
      for (int y = 0; y < 30; ++y) {
        const Grain grain{size, row};
        const int before = grain.row_before(y), after = grain.row_after(y);
        EXPECT_LE(before, y);
        EXPECT_GT(before + size, y);
        EXPECT_GE(after, y);
        EXPECT_LT(after - size, y);
        EXPECT_EQ((before - row) % size, 0);
        EXPECT_EQ((after - row) % size, 0);
      }
}

TEST(Grain, RegionsGrowToWholeOnesWithinTheMap) {
  const Grain grain{4, 3};
  EXPECT_EQ(whole_grains({0, 0, 20, 30}, grain, 20, 30), (Region{0, 0, 20, 30}));
  EXPECT_EQ(whole_grains({3, 4, 4, 4}, grain, 20, 30), (Region{3, 4, 4, 4}));
  EXPECT_EQ(whole_grains({5, 5, 3, 1}, grain, 20, 30), (Region{3, 4, 8, 4}));
  EXPECT_EQ(whole_grains({2, 29, 1, 1}, grain, 20, 30), (Region{0, 28, 3, 2}));
  EXPECT_EQ(whole_grains({19, 0, 1, 1}, grain, 20, 30), (Region{19, 0, 1, 4}));
  EXPECT_EQ(whole_grains({5, 6, 7, 8}, {}, 20, 30), (Region{5, 6, 7, 8}));
}

}  // namespace
}  // namespace fye
