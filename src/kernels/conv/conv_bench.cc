// GMAC/s of every variant on the layers that the shipped networks have, at 640x360. One thread.
//
// GMAC/s counts the network's own multiplications, not padded lanes. Filter with
// --benchmark_filter=f32/direct-avx2/...
#include <benchmark/benchmark.h>

#include <string>

#include "kernels/conv/conv.h"
#include "kernels/conv/sample.h"

namespace fye {
namespace {

struct Layer {
  std::string_view name;
  int in, out, kernel, height = 360, width = 640;
  int repeat = 0;  // of the residual; 0: none
};
constexpr Layer kLayers[] = {
    {"abpn_first", 3, 28, 3},    {"abpn_middle", 28, 28, 3},
    {"abpn_squeeze", 28, 27, 3}, {"abpn_last", 27, 27, 3, 360, 640, 9},
    {"edsr_first", 3, 64, 3},    {"edsr_body", 64, 64, 3, 360, 640, 1},
    {"edsr_up", 64, 256, 3},     {"edsr_last", 64, 3, 3, 720, 1280},
    {"srcnn_first", 1, 64, 9},   {"srcnn_middle", 64, 32, 1},
    {"srcnn_last", 32, 1, 5},
};

void convolve(benchmark::State& state, const ConvVariant& variant, const Layer& layer) {
  std::mt19937 random(3);
  ConvProblem p{.kernel_h = layer.kernel,
                .kernel_w = layer.kernel,
                .pad_top = layer.kernel / 2,
                .pad_left = layer.kernel / 2,
                .in_channels = layer.in,
                .out_channels = layer.out};
  p.residual = layer.repeat > 0;
  p.residual_repeat = std::max(1, layer.repeat);
  if (!p.residual) p.act = {.kind = Activation::Kind::relu};
  fill_problem(p, 127, random);
  // Trained weights are bell-shaped; a standard deviation of 32 levels puts four of them at the largest.
  std::normal_distribution<float> bell(0, 32);
  for (int8_t& w : p.weight_q) w = int8_t(std::clamp(std::nearbyint(bell(random)), -127.f, 127.f));
  const DType type = storage(variant.numbers);
  const SampleMap in = sample_input(type, p.in, p.in_channels, layer.height, layer.width, layer.kernel / 2,
                                    pitch_for(type, p.in_channels), random);
  const int res_channels = layer.out / p.residual_repeat;
  const SampleMap res = sample_input(type, p.res, res_channels, layer.height, layer.width, 0,
                                     pitch_for(type, res_channels), random);
  const SampleMap out =
      sample_map(type, p.out, layer.out, {0, 0, layer.height, layer.width}, 1, pitch_for(type, layer.out));
  const std::unique_ptr<Kernel> kernel = variant.prepare(p);
  const Map inputs[] = {in.map, res.map};
  for (auto _ : state) kernel->rows(std::span(inputs, p.residual ? 2 : 1), out.map, 0, layer.height);
  const double macs = double(layer.height) * layer.width * layer.in * layer.out * layer.kernel * layer.kernel;
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsIterationInvariantRate,
                                                benchmark::Counter::kIs1000);
}

const bool registered = [] {
  for (const ConvVariant& v : conv_variants()) {
    if (!machine_has(v.isa) || (v.needs_avx512_bf16 && !machine_has_avx512_bf16()) || v.isa == Isa::scalar)
      continue;
    for (const Layer& layer : kLayers)
      benchmark::RegisterBenchmark(
          (std::string(name(v.numbers)) + "/" + std::string(v.name) + "/" + std::string(layer.name)).c_str(),
          [&v, &layer](benchmark::State& state) { convolve(state, v, layer); })
          ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace fye
