// What a conversion adds to its neighbour when it follows or precedes it band by band, as the executor of
// bands (execute/bands.h) runs it: the neighbour's rows are converted while they are in the cache.
//
// The neighbours are cheap float convolutions at 640 x 360, the worst case for hiding anything: 3 -> 64 3x3
// whose result becomes u8, and 64 -> 32 1x1 that reads u8. conv_ms: with whole float maps, no conversion;
// band_ms: with the float rows in a band's memory, no conversion; pass_ms: the conversion as a pass of its own
// over the whole map; fused_ms: with conversion in bands. of_pass: (fused_ms - conv_ms) / pass_ms (negative:
// leaving the float map in the cache saves more than converting it costs); of_pass_in_band: against band_ms,
// which spares the whole float map too. Medians of rounds in turns, one thread.
// Run: kernels_bench --benchmark_filter=Fused
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernels/bench_seconds.h"
#include "kernels/conv/sample.h"
#include "kernels/convert/convert.h"

namespace fye {
namespace {

constexpr int kHeight = 360, kWidth = 640, kMapChannels = 64;
constexpr int kBand = 8;  // rows: 1.3 MB of the float map
constexpr Quant kQuant{0.05f, 117};

SampleMap map_of(DType type, int channels, int rows) {
  SampleMap s =
      sample_map(type, type == DType::u8 ? kQuant : Quant{}, channels, {0, 0, rows, kWidth}, 0, channels);
  std::memset(s.memory.data(), 0, s.bytes);
  return s;
}

// The same memory as rows [y, y + kBand) of the picture.
Map window_at(const SampleMap& window, int y) {
  Map map = window.map;
  map.region.y = y;
  return map;
}

template <class F>
void for_bands(F f) {
  for (int y = 0; y < kHeight; y += kBand) f(y, y + kBand);
}

struct Times {
  std::vector<double> conv, band, pass, fused;

  void report(benchmark::State& state) const {
    const auto of_pass = [&](double before) { return (median(fused) - before) / median(pass); };
    state.counters["conv_ms"] = median(conv) * 1e3;
    state.counters["band_ms"] = median(band) * 1e3;
    state.counters["pass_ms"] = median(pass) * 1e3;
    state.counters["fused_ms"] = median(fused) * 1e3;
    state.counters["of_pass"] = of_pass(median(conv));
    state.counters["of_pass_in_band"] = of_pass(median(band));
  }
};

ConvProblem problem_of(int in, int out, int kernel) {
  ConvProblem p = square(in, out, kernel);
  std::mt19937 random(3);
  fill_problem(p, 127, random);
  return p;
}

void to_u8(benchmark::State& state, Isa isa) {
  auto conv = prepare_conv(problem_of(3, kMapChannels, 3), Numbers::f32, isa);
  if (!conv) return state.SkipWithError("no kernel");
  std::mt19937 random(4);
  const SampleMap in = sample_input(DType::f32, {}, 3, kHeight, kWidth, 8, pitch_for(DType::f32, 3), random);
  const SampleMap reals = map_of(DType::f32, kMapChannels, kHeight),
                  window = map_of(DType::f32, kMapChannels, kBand),
                  out = map_of(DType::u8, kMapChannels, kHeight);
  const Map inputs[] = {in.map};
  Times times;
  for (auto _ : state) {
    times.conv.push_back(
        seconds_of([&] { for_bands([&](int y0, int y1) { (*conv)->rows(inputs, reals.map, y0, y1); }); }));
    times.band.push_back(seconds_of([&] {
      for_bands([&](int y0, int y1) { (*conv)->rows(inputs, window_at(window, y0), y0, y1); });
    }));
    times.pass.push_back(seconds_of([&] { convert_rows(reals.map, out.map, 0, kHeight, isa); }));
    times.fused.push_back(seconds_of([&] {
      for_bands([&](int y0, int y1) {
        const Map band = window_at(window, y0);
        (*conv)->rows(inputs, band, y0, y1);
        convert_rows(band, part_of(out.map, band.region), y0, y1, isa);
      });
    }));
    state.SetIterationTime(times.fused.back());
  }
  times.report(state);
}

void from_u8(benchmark::State& state, Isa isa) {
  auto conv = prepare_conv(problem_of(kMapChannels, 32, 1), Numbers::f32, isa);
  if (!conv) return state.SkipWithError("no kernel");
  const SampleMap in = map_of(DType::u8, kMapChannels, kHeight),
                  reals = map_of(DType::f32, kMapChannels, kHeight),
                  window = map_of(DType::f32, kMapChannels, kBand), out = map_of(DType::f32, 32, kHeight);
  Times times;
  for (auto _ : state) {
    times.conv.push_back(seconds_of([&] {
      for_bands([&](int y0, int y1) { (*conv)->rows(std::span(&reals.map, 1), out.map, y0, y1); });
    }));
    times.band.push_back(seconds_of([&] {
      for_bands([&](int y0, int y1) {
        const Map band = window_at(window, y0);
        (*conv)->rows(std::span(&band, 1), out.map, y0, y1);
      });
    }));
    times.pass.push_back(seconds_of([&] { convert_rows(in.map, reals.map, 0, kHeight, isa); }));
    times.fused.push_back(seconds_of([&] {
      for_bands([&](int y0, int y1) {
        const Map band = window_at(window, y0);
        convert_rows(in.map, band, y0, y1, isa);
        (*conv)->rows(std::span(&band, 1), out.map, y0, y1);
      });
    }));
    state.SetIterationTime(times.fused.back());
  }
  times.report(state);
}

const bool kRegistered = [] {
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (!machine_has(isa)) continue;
    const auto add = [isa](std::string_view what, void (*run)(benchmark::State&, Isa)) {
      benchmark::RegisterBenchmark(fmt::format("Fused/{}/{}", what, name(isa)).c_str(),
                                   [=](benchmark::State& s) { run(s, isa); })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("conv3x3_3_to_64_then_f32_to_u8", to_u8);
    add("u8_to_f32_then_conv1x1_64_to_32", from_u8);
  }
  return true;
}();

}  // namespace
}  // namespace fye
