// The last step of ABPN on 640 x 360 and the joining of maps: GB/s, bytes read plus written, and the share of
// memcpy's. Run: kernels_bench --benchmark_filter=Move
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "kernels/bench_seconds.h"
#include "kernels/node_kernel.h"
#include "kernels/reference/dense_map.h"

namespace fye {
namespace {

void run(benchmark::State& state, const Attributes& op, std::vector<Map> in, const Map& out, Isa isa) {
  if (!machine_has(isa)) return state.SkipWithError("this machine lacks the instruction set");
  Graph graph;
  Node node{"bench", {}, int(in.size()), op};
  std::vector<Format> formats;
  size_t bytes = size_t(out.row_bytes) * size_t(out.region.h);
  for (const Map& map : in) {
    node.inputs.push_back(int(formats.size()));
    formats.push_back({map.type, map.quant, map.channels});
    graph.tensors.push_back({"in", {1, map.channels, -1, -1}});
    bytes += size_t(map.row_bytes) * size_t(map.region.h);
  }
  graph.tensors.push_back({"out", {}});
  const auto kernel = prepare_node(graph, node, formats, {out.type, out.quant, out.channels}, isa);
  if (!kernel) return state.SkipWithError(kernel.error().what.c_str());
  Buffer a(bytes / 2), b(bytes / 2);
  double copy = 1e9, best = 1e9;
  for (auto _ : state) {
    const double seconds = seconds_of([&] { (*kernel)->rows(in, out, 0, out.region.h); });
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
    copy = std::min(copy, seconds_of([&] { std::memcpy(b.data(), a.data(), bytes / 2); }));
  }
  state.counters["GB/s"] = double(bytes) / best * 1e-9;
  state.counters["of_memcpy"] = copy / best;
}

void shuffle(benchmark::State& state, DType type, int block, bool crd, int out_pitch, Isa isa) {
  const OwnedMap in = make_map(type, {}, 3 * block * block, {0, 0, 360, 640});
  const OwnedMap out = make_map(type, {}, 3, {0, 0, 360 * block, 640 * block}, 0, out_pitch);
  run(state, DepthToSpace{block, crd}, {in.map}, out.map, isa);
}

// `changes`: the bytes of all inputs but the first are brought to another scale.
void concat(benchmark::State& state, DType type, int parts, int channels, bool changes, Isa isa) {
  std::vector<OwnedMap> owned;
  std::vector<Map> in;
  for (int i = 0; i < parts; ++i) {
    const Quant quant = changes && i ? Quant{0.7f, 3} : Quant{};
    owned.push_back(make_map(type, quant, channels, {0, 0, 360, 640}));
    in.push_back(owned.back().map);
  }
  const OwnedMap out = make_map(type, {}, parts * channels, {0, 0, 360, 640});
  run(state, Concat{1}, in, out.map, isa);
}

void binary(benchmark::State& state, DType type) {
  const OwnedMap a = make_map(type, {0.5f, 3}, 32, {0, 0, 360, 640});
  const OwnedMap b = make_map(type, {0.25f, 9}, 32, {0, 0, 360, 640});
  const OwnedMap out = make_map(type, {0.7f, 30}, 32, {0, 0, 360, 640});
  run(state, Binary{}, {a.map, b.map}, out.map, Isa::scalar);
}

const bool kRegistered = [] {
  const auto add = [](const std::string& title, auto f) {
    benchmark::RegisterBenchmark(fmt::format("Move/{}", title).c_str(), f)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  };
  for (const DType type : {DType::u8, DType::f32, DType::bf16})
    for (const int block : {2, 3, 4})
      for (const bool crd : {false, true})
        for (const int pitch : {3, 4})
          for (const Isa isa : {Isa::scalar, Isa::avx2})
            add(fmt::format("depth_to_space/{}/x{}/{}/pitch{}/{}", name(type), block, crd ? "crd" : "dcr",
                            pitch, name(isa)),
                [=](benchmark::State& s) { shuffle(s, type, block, crd, pitch, isa); });
  for (const DType type : {DType::u8, DType::f32})
    for (const auto& [parts, channels] : {std::pair{9, 3}, {2, 32}, {3, 64}})
      add(fmt::format("concat/{}/{}x{}", name(type), parts, channels), [=, p = parts, c = channels](
          benchmark::State& s) { concat(s, type, p, c, false, Isa::scalar); });
  for (const auto& [parts, channels] : {std::pair{9, 3}, {2, 32}, {3, 64}})
    for (const Isa isa : {Isa::scalar, Isa::avx2})
      add(fmt::format("concat/u8/scales/{}x{}/{}", parts, channels, name(isa)), [=, p = parts, c = channels](
          benchmark::State& s) { concat(s, DType::u8, p, c, true, isa); });
  for (const DType type : {DType::u8, DType::f32, DType::bf16})
    add(fmt::format("add/{}/c32", name(type)), [=](benchmark::State& s) { binary(s, type); });
  return true;
}();

}  // namespace
}  // namespace fye
