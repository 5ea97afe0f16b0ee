// The converter against memcpy: GB/s (bytes read plus bytes written) and its share of what memcpy reaches on
// the same number of bytes, on the maps of a 640 x 360 picture. Run: kernels_bench --benchmark_filter=Convert
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/convert/convert.h"
#include "kernels/reference/dense_map.h"

namespace fye {
namespace {

constexpr Region kPicture{0, 0, 360, 640};

template <class F>
double seconds_of(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  benchmark::ClobberMemory();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void run(benchmark::State& state, DType from, DType to, int channels, int in_pitch, int out_pitch, Isa isa) {
  if (!machine_has(isa)) return state.SkipWithError("this machine lacks the instruction set");
  const Quant quant{0.05f, 117};
  const OwnedMap in = make_map(from, quant, channels, kPicture, 0, in_pitch);
  const OwnedMap out = make_map(to, quant, channels, kPicture, 0, out_pitch);
  const size_t bytes = in.memory.size() + out.memory.size();  // through the memory system
  Buffer a(bytes / 2), b(bytes / 2);
  double copy = 1e9, best = 1e9;
  for (auto _ : state) {  // interleaved, the best of each counts
    const double seconds = seconds_of([&] { convert_rows(in.map, out.map, 0, kPicture.h, isa); });
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
    copy = std::min(copy, seconds_of([&] { std::memcpy(b.data(), a.data(), bytes / 2); }));
  }
  state.counters["GB/s"] = double(bytes) / best * 1e-9;
  state.counters["of_memcpy"] = copy / best;
}

void register_all() {
  struct Pair {
    DType from, to;
  };
  const auto add = [](std::string_view label, Pair p, int channels, int in_pitch, int out_pitch, Isa isa) {
    const std::string title =
        fmt::format("Convert/{}_to_{}/{}/{}", name(p.from), name(p.to), label, name(isa));
    benchmark::RegisterBenchmark(
        title.c_str(), [=](benchmark::State& s) { run(s, p.from, p.to, channels, in_pitch, out_pitch, isa); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  };
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    for (const int c : {64, 32})
      for (const Pair p :
           {Pair{DType::f32, DType::u8}, Pair{DType::u8, DType::f32}, Pair{DType::f32, DType::bf16},
            Pair{DType::bf16, DType::f32}, Pair{DType::bf16, DType::u8}, Pair{DType::u8, DType::bf16}})
        add(fmt::format("c{}", c), p, c, c, c, isa);
    add("rgb_3_to_4", {DType::u8, DType::u8}, 3, 3, 4, isa);
    add("rgb_4_to_3", {DType::u8, DType::u8}, 3, 4, 3, isa);
    add("rgb_3_to_3", {DType::u8, DType::f32}, 3, 3, 3, isa);
    add("rgb_3_to_3", {DType::f32, DType::u8}, 3, 3, 3, isa);
    add("rgb_3_to_4", {DType::u8, DType::bf16}, 3, 3, 4, isa);
    add("rgb_3_to_3", {DType::u16, DType::f32}, 3, 3, 3, isa);
  }
}

const bool kRegistered = (register_all(), true);

}  // namespace
}  // namespace fye
