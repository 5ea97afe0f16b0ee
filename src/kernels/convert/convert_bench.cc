// The converter beside copies: GB/s (bytes read plus bytes written, medians) and its share of what memcpy,
// and a copy past the caches, reach on as many bytes with as many threads in the same run; maps of a 640 x
// 360 picture.
//
// Rows are Convert/FROM_to_TO/MAP/ISA/THREADS. x_seed: how many times faster than the conversion that
// FYE-SR's authors timed on a phone (640 x 360 x 64 and x 32: arithmetic, and by table, which only u8 -> f32
// allows). Run: kernels_bench --benchmark_filter=Convert
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/threads.h"
#include "kernels/bench_seconds.h"
#include "kernels/convert/convert.h"
#include "kernels/convert/row_table.h"
#include "kernels/reference/dense_map.h"

namespace fye {
namespace {

constexpr Region kPicture{0, 0, 360, 640};

ThreadPool& pool_of(int threads) {
  static std::array<ThreadPool, 2> pools = {ThreadPool(1), ThreadPool(2)};
  return pools[size_t(threads - 1)];
}

struct Case {
  DType from, to;
  int channels, in_pitch, out_pitch;
  Isa isa;
  int threads;
};

// FYE-SR's slides, milliseconds; 0: not given.
struct Seed {
  double arithmetic = 0, table = 0;
};
Seed seed_of(const Case& c) {
  if (c.channels != 64 && c.channels != 32) return {};
  const bool wide = c.channels == 64;
  if (c.from == DType::f32 && c.to == DType::u8) return {wide ? 46.4 : 27.7, 0};
  if (c.from == DType::u8 && c.to == DType::f32) return wide ? Seed{46.1, 20.0} : Seed{28.9, 10.5};
  return {};
}

void run(benchmark::State& state, const Case& c) {
  if (!machine_has(c.isa)) return state.SkipWithError("this machine lacks the instruction set");
  const auto quant = [](DType type) { return type == DType::s16 ? Quant{0.001f, 0} : Quant{0.05f, 117}; };
  const OwnedMap in = make_map(c.from, quant(c.from), c.channels, kPicture, 0, c.in_pitch);
  const OwnedMap out = make_map(c.to, quant(c.to), c.channels, kPicture, 0, c.out_pitch);
  const ptrdiff_t pixels = ptrdiff_t(kPicture.h) * kPicture.w;
  const ptrdiff_t bytes = pixels * (c.in_pitch * size_of(c.from) + c.out_pitch * size_of(c.to));
  const Buffer a(size_t(bytes) / 2);
  Buffer b(size_t(bytes) / 2);
  ThreadPool& threads = pool_of(c.threads);
  std::vector<double> times, copies, streams;
  const auto seconds_of_copy = [&](auto copy) {
    return seconds_of([&] {
      threads.parallel_for(bytes / 8, bytes / 8 / c.threads, [&](int64_t begin, int64_t end) {  // by floats
        copy(a.data() + 4 * begin, b.data() + 4 * begin, end - begin);
      });
    });
  };
  const ConvertFlat stream =
      choose_rows(widest_isa()).stream[map_type_index(DType::f32)][map_type_index(DType::f32)];
  for (auto _ : state) {  // taking turns
    times.push_back(seconds_of([&] {
      threads.parallel_for(kPicture.h, kPicture.h / c.threads, [&](int64_t y0, int64_t y1) {
        convert_rows(in.map, out.map, int(y0), int(y1), c.isa);
      });
    }));
    state.SetIterationTime(times.back());
    copies.push_back(seconds_of_copy([](const std::byte* from, std::byte* to, int64_t floats) {
      std::memcpy(to, from, size_t(floats) * 4);
    }));
    streams.push_back(seconds_of_copy(
        [&](const std::byte* from, std::byte* to, int64_t floats) { stream(from, to, floats, {}, {}); }));
  }
  const double seconds = median(times), copy = median(copies);
  state.counters["GB/s"] = double(bytes) / seconds * 1e-9;
  state.counters["memcpy_GB/s"] = double(bytes) / copy * 1e-9;
  state.counters["of_memcpy"] = copy / seconds;
  state.counters["of_stream"] = median(streams) / seconds;
  const Seed seed = seed_of(c);
  if (seed.arithmetic > 0) state.counters["x_seed"] = seed.arithmetic * 1e-3 / seconds;
  if (seed.table > 0) state.counters["x_seed_table"] = seed.table * 1e-3 / seconds;
}

void add(std::string_view map, const Case& c) {
  const std::string title =
      fmt::format("Convert/{}_to_{}/{}/{}/{}T", name(c.from), name(c.to), map, name(c.isa), c.threads);
  benchmark::RegisterBenchmark(title.c_str(), [c](benchmark::State& s) { run(s, c); })
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

const bool kRegistered = [] {
  constexpr DType f32 = DType::f32, bf16 = DType::bf16, u8 = DType::u8, u16 = DType::u16, s16 = DType::s16;
  constexpr DType kPairs[][2] = {{f32, u8},  {u8, f32}, {f32, bf16}, {bf16, f32}, {bf16, u8},
                                 {u8, bf16}, {s16, u8}, {u8, s16},   {s16, f32},  {f32, s16}};
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    for (const int threads : {1, 2}) {
      for (const int c : {64, 32})
        for (const auto& [from, to] : kPairs) add(fmt::format("c{}", c), {from, to, c, c, c, isa, threads});
      add("rgb_3_to_4", {u8, u8, 3, 3, 4, isa, threads});
      add("rgb_4_to_3", {u8, u8, 3, 4, 3, isa, threads});
      add("rgb_3_to_3", {u8, f32, 3, 3, 3, isa, threads});
      add("rgb_3_to_3", {f32, u8, 3, 3, 3, isa, threads});
      add("rgb_3_to_4", {u8, bf16, 3, 3, 4, isa, threads});
      add("rgb_3_to_3", {u16, f32, 3, 3, 3, isa, threads});
    }
  return true;
}();

}  // namespace
}  // namespace fye
