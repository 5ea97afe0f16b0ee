// What the tests of every kernel family share: one node, random inputs, the dense reference, and the checks
// that hold for all - right values, whole = tiles = bands bit for bit, nothing read outside the region asked
// for, nothing written outside.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "graph/shapes.h"
#include "kernels/convert/number.h"
#include "kernels/node_kernel.h"
#include "kernels/reference/dense_map.h"

namespace fye {

struct NodeCase {
  Graph graph;  // one node; tensors are its inputs in order, then its output
  std::vector<Dense> in;
  DType type = DType::f32;
  std::vector<Quant> in_quant;
  Quant out_quant;
  int extra_pitch = 0;
  Isa max = Isa::amx;
  unsigned seed = 1;

  const Node& node() const { return graph.nodes[0]; }
};

inline NodeCase node_case(Attributes op, const std::vector<Shape>& shapes, DType type, unsigned seed) {
  NodeCase c;
  c.type = type;
  c.seed = seed;
  std::mt19937 random(seed);
  std::normal_distribution<float> reals(0, 2);
  Node node{"sample", {}, int(shapes.size()), std::move(op)};
  for (const Shape& shape : shapes) {
    node.inputs.push_back(int(c.graph.tensors.size()));
    c.graph.inputs.push_back(int(c.graph.tensors.size()));
    c.graph.tensors.push_back({"in" + std::to_string(c.graph.tensors.size()), shape});
    Dense dense{shape, std::vector<float>(size_t(element_count(shape)))};
    for (float& v : dense.values) v = reals(random);
    c.in.push_back(std::move(dense));
    c.in_quant.push_back({0.01f + 0.003f * float(random() % 16), int(random() % 256)});
  }
  c.graph.tensors.push_back({"out", {}});
  c.graph.outputs = {int(shapes.size())};
  c.graph.nodes.push_back(std::move(node));
  c.out_quant = {0.01f + 0.003f * float(random() % 16), int(random() % 256)};
  return c;
}

inline ConstantId add_constant(NodeCase& c, Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> reals(0, 1);
  Constant constant{shape, std::vector<float>(size_t(element_count(shape)))};
  for (float& v : constant.values) v = reals(random) + (reals(random) < 0 ? -0.5f : 0.5f);
  c.graph.constants.push_back(std::move(constant));
  return int(c.graph.constants.size()) - 1;
}

// A map over `region` whose surroundings are NaN (255 in u8) and whose gaps are clean.
inline OwnedMap guarded_map(DType type, Quant quant, int channels, const Region& region, int pitch) {
  OwnedMap owned = make_map(type, quant, channels, region, 2, pitch);
  const OwnedMap clean = make_map(type, quant, channels, region, 0, pitch);
  std::memset(owned.memory.data(), 0xff, owned.memory.size() + kSlack);
  for (int y = 0; y < region.h; ++y)
    std::memcpy(owned.map.origin + y * owned.map.row_bytes, clean.map.origin + y * clean.map.row_bytes,
                size_t(clean.map.row_bytes));
  return owned;
}

// True if every byte outside map.region still is 0xff and every gap holds real zero.
inline bool surroundings_intact(const OwnedMap& owned) {
  const Map& map = owned.map;
  const int size = size_of(map.type);
  const OwnedMap clean = make_map(map.type, map.quant, map.channels, {0, 0, 1, 1}, 0, map.pitch);
  std::vector<bool> inside(owned.memory.size() + kSlack);
  for (int y = 0; y < map.region.h; ++y)
    for (int x = 0; x < map.region.w; ++x) {
      const std::byte* pixel = map.origin + y * map.row_bytes + ptrdiff_t(x) * map.pitch * size;
      if (std::memcmp(pixel + map.channels * size, clean.map.origin + map.channels * size,
                      size_t(map.pitch - map.channels) * size))
        return false;
      for (int b = 0; b < map.pitch * size; ++b) inside[size_t(pixel - owned.memory.data()) + b] = true;
    }
  for (size_t i = 0; i < inside.size(); ++i)
    if (!inside[i] && owned.memory.data()[i] != std::byte{0xff}) return false;
  return true;
}

// Bit for bit, over the part that both cover, which is `part`.
inline bool same_bits(const Map& a, const Map& b, const Region& part) {
  const size_t bytes = size_t(part.w) * a.pitch * size_of(a.type);
  for (int y = part.y; y < part.y + part.h; ++y) {
    const auto row = [&](const Map& m) {
      return m.origin + (y - m.region.y) * m.row_bytes +
             ptrdiff_t(part.x - m.region.x) * m.pitch * size_of(m.type);
    };
    if (std::memcmp(row(a), row(b), bytes)) return false;
  }
  return true;
}

// Height and width of a shape as a map.
inline Region whole_region(const Shape& shape) {
  return shape.size() == 4 ? Region{0, 0, int(shape[2]), int(shape[3])} : Region{0, 0, 1, 1};
}

// Everything one checked node leaves behind, for tests that look further.
struct NodeRun {
  std::vector<OwnedMap> in;
  OwnedMap out;
  std::vector<Dense> rounded;  // the inputs as the maps hold them
  Dense expected;              // the reference on those
};

// Runs the kernel on the whole map (in bands) and on tiles and checks everything; `tolerance(expected)` is
// the error allowed at each element.
inline void check_node(const NodeCase& c, const std::function<float(float)>& tolerance,
                       NodeRun* keep = nullptr) {
  std::mt19937 random(c.seed + 1);
  NodeRun run;
  std::vector<Format> formats;
  std::vector<Map> maps;
  for (size_t i = 0; i < c.in.size(); ++i) {
    const Dense& dense = c.in[i];
    const int channels = int(dense.shape[1]);
    formats.push_back({c.type, c.in_quant[i], channels});
    run.in.push_back(guarded_map(c.type, c.in_quant[i], channels, whole_region(dense.shape),
                                 pitch_for(c.type, channels) + c.extra_pitch));
    put(dense, 0, run.in[i].map);
    maps.push_back(run.in[i].map);
    run.rounded.push_back(get(run.in[i].map));
    run.rounded[i].shape = dense.shape;
  }
  const Result<Dense> expected = reference_node(c.graph, c.node(), run.rounded);
  ASSERT_TRUE(expected) << expected.error().text();
  run.expected = *expected;
  const Region whole = whole_region(expected->shape);
  const int channels = int(expected->shape[1]);
  const Format out_format{c.type, c.out_quant, channels};
  const auto kernel = prepare_node(c.graph, c.node(), formats, out_format, c.max);
  ASSERT_TRUE(kernel) << kernel.error().text();

  const int pitch = (random() % 2 ? channels : pitch_for(c.type, channels)) + c.extra_pitch;
  run.out = guarded_map(c.type, c.out_quant, channels, whole, pitch);
  for (int y = 0; y < whole.h;) {
    const int next = std::min(whole.h, y + 1 + int(random() % 5));
    (*kernel)->rows(maps, run.out.map, y, next);
    y = next;
  }
  EXPECT_TRUE(surroundings_intact(run.out));
  const Dense got = get(run.out.map);
  for (size_t k = 0; k < got.values.size(); ++k) {
    float want = run.expected.values[k];
    if (std::isnan(want) && c.type == DType::u8) want = 0;  // 0 / 0 as a byte: the zero point (design.md, 4)
    if (want == got.values[k] || (std::isnan(want) && std::isnan(got.values[k]))) continue;
    ASSERT_LE(std::fabs(got.values[k] - want), tolerance(want))
        << "element " << k << ": " << got.values[k] << ", not " << want;
  }

  for (int tile = 0; tile < 3 && !is_global(c.node()); ++tile) {
    Region part{int(random() % unsigned(whole.h)), int(random() % unsigned(whole.w)), 0, 0};
    part.h = 1 + int(random() % unsigned(whole.h - part.y));
    part.w = 1 + int(random() % unsigned(whole.w - part.x));
    std::vector<OwnedMap> crops;
    std::vector<Map> crop_maps;
    for (size_t i = 0; i < c.in.size(); ++i) {
      const Region all = run.in[i].map.region;
      const Region need = input_region(c.node(), int(i), part, all.h, all.w);
      crops.push_back(guarded_map(c.type, c.in_quant[i], formats[i].channels, need, run.in[i].map.pitch));
      put(run.rounded[i], 0, crops[i].map);
      crop_maps.push_back(crops[i].map);
    }
    OwnedMap out = guarded_map(c.type, c.out_quant, channels, part, pitch);
    (*kernel)->rows(crop_maps, out.map, part.y, part.y + part.h);
    EXPECT_TRUE(surroundings_intact(out));
    ASSERT_TRUE(same_bits(out.map, run.out.map, part))
        << "tile " << part.y << "," << part.x << " " << part.h << "x" << part.w;
  }
  if (keep) *keep = std::move(run);
}

// The contract's bounds: f32 within 1e-4 of the largest value; bf16 within one step of 2^-8 relative and the
// same of the largest; u8 within half a level of rounding and one level for the arithmetic.
inline std::function<float(float)> usual_tolerance(const NodeCase& c, float largest = 8) {
  if (c.type == DType::f32) return [=](float) { return 1e-4f * largest; };
  if (c.type == DType::bf16) return [=](float v) { return std::fabs(v) / 128 + 1e-4f * largest; };
  const Quant q = c.out_quant;
  return [=](float v) {
    const float nearest = dequantise(quantise(v, q, 255), q);  // saturation is not an error
    return std::fabs(nearest - v) + q.scale * 1.001f;
  };
}

}  // namespace fye
