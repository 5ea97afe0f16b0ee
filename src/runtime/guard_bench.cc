// What the output guard costs (users.md, U17: at most 1 %): the same network with and without it, taking
// turns in one run.
//   runtime_bench (cmake -DFYE_BENCH=ON)
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "base/clock.h"
#include "runtime/model.h"
#include "runtime/upscale.h"
#include "runtime/upscale_state.h"

namespace fye {
namespace {

constexpr int kWidth = 640, kHeight = 360, kRounds = 41;

// Photograph-like: shades with noise. One iteration is kRounds pairs; cost_percent is the median of their
// ratios less 1.
void guard_cost(benchmark::State& state, Numbers numbers) {
  const auto model = load_model(FYE_SOURCE_DIR "/models/abpn_x3.onnx");
  if (!model) return state.SkipWithError(model.error().what.c_str());
  Picture picture(kWidth, kHeight, 3);
  std::mt19937 random(1);
  for (size_t i = 0; i < picture.bytes.size(); ++i)
    picture.bytes[i] = uint8_t(60 + i / (3 * kWidth) % 120 + i % (3 * kWidth) / 24 + random() % 12);
  ThreadPool threads(2);
  auto guarded = Upscaler::create(*model, {.numbers = numbers}, threads);
  auto unguarded = Upscaler::create(*model, {.numbers = numbers}, threads);
  if (!guarded || !unguarded) return state.SkipWithError("no upscaler");
  unguarded->state().unguarded = true;
  const auto ms = [&](Upscaler& upscaler) {
    const Stopwatch watch;
    benchmark::DoNotOptimize(upscaler.run(picture));
    return watch.ms();
  };
  for (auto _ : state) {
    std::vector<double> with, without, ratios;
    for (int i = 0; i < kRounds; ++i) {
      // Whoever comes second finds warmer caches.
      const bool first = i % 2;
      const double a = ms(first ? *guarded : *unguarded), b = ms(first ? *unguarded : *guarded);
      with.push_back(first ? a : b);
      without.push_back(first ? b : a);
      ratios.push_back(with.back() / without.back());
    }
    state.counters["guarded_ms"] = median(with);
    state.counters["unguarded_ms"] = median(without);
    state.counters["cost_percent"] = 100 * (median(ratios) - 1);
  }
}
BENCHMARK_CAPTURE(guard_cost, int8, Numbers::int8)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(guard_cost, f32, Numbers::f32)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fye
