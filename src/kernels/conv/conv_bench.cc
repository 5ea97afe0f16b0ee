// GMAC/s of every variant on the layers that the shipped networks have, at 640x360. One thread.
//
// GMAC/s counts the network's own multiplications, not padded lanes; share is GMAC/s over the peak of the
// format on this machine, measured by the same program at its start. Filter with
// --benchmark_filter=f32/direct-avx2/...
#include <benchmark/benchmark.h>

#include <map>
#include <string>

#include "kernels/conv/conv.h"
#include "kernels/conv/sample.h"
#include "kernels/peak/peak.h"

namespace fye {
namespace {

struct Layer {
  std::string_view name;
  int in, out, kernel, height = 360, width = 640;
  int repeat = 0;  // of the residual; 0: none
  int group = 1;
  bool wide = false;  // int8: 16-bit output and residual
};
constexpr Layer kLayers[] = {
    {"abpn_first", 3, 28, 3},
    {"abpn_middle", 28, 28, 3},
    {"abpn_squeeze", 28, 27, 3},
    {"abpn_last", 27, 27, 3, 360, 640, 9},
    {"edsr_first", 3, 64, 3},
    {"edsr_body", 64, 64, 3, 360, 640, 1},
    {"edsr_up", 64, 256, 3},
    {"edsr_last", 64, 3, 3, 720, 1280},
    {"srcnn_first", 1, 64, 9},
    {"srcnn_middle", 64, 32, 1},
    {"srcnn_last", 32, 1, 5},
    {"depthwise", 96, 96, 3, 180, 320, 0, 96},
    {"edsr_body_r16", 64, 64, 3, 360, 640, 1, 1, true},
};

// A layer made ready for one variant.
struct Setup {
  const ConvVariant* variant;
  const Layer* layer;
  ConvProblem problem;
  SampleMap in, res, out;
  std::unique_ptr<Kernel> kernel;

  Setup(const ConvVariant& v, const Layer& l) : variant(&v), layer(&l) {
    std::mt19937 random(3);
    ConvProblem& p = problem;
    p.kernel_h = p.kernel_w = l.kernel;
    p.pad_top = p.pad_left = l.kernel / 2;
    p.in_channels = l.in;
    p.out_channels = l.out;
    p.group = l.group;
    p.residual = l.repeat > 0;
    p.residual_repeat = std::max(1, l.repeat);
    if (!p.residual) p.act = {.kind = Activation::Kind::relu};
    fill_problem(p, 127, random);
    bell_weights(p, random);
    const DType type = storage(v.numbers), out_type = l.wide ? DType::s16 : type;
    if (l.wide) widen_problem(p);
    const int res_channels = l.out / p.residual_repeat;
    in = sample_input(type, p.in, l.in, l.height, l.width, l.kernel / 2, pitch_for(type, l.in), random);
    res = sample_input(out_type, p.res, res_channels, p.residual ? l.height : 1, l.width, 0,
                       pitch_for(out_type, res_channels), random);
    out = sample_map(out_type, p.out, l.out, {0, 0, l.height, l.width}, 1, pitch_for(out_type, l.out));
    if (v.refuses(p).empty()) kernel = v.prepare(p);
  }

  // Bell-shaped as trained weights are, the largest of each output channel at 127.
  static void bell_weights(ConvProblem& p, std::mt19937& random) {
    std::normal_distribution<float> bell;
    const size_t taps = p.weight.size() / p.out_channels;
    std::vector<float> w(taps);
    for (int c = 0; c < p.out_channels; ++c) {
      float largest = 0;
      for (float& x : w) largest = std::max(largest, std::abs(x = bell(random)));
      for (size_t k = 0; k < taps; ++k)
        p.weight_q[c * taps + k] = int8_t(std::nearbyint(w[k] / largest * 127));
    }
  }
};

// The last setup is kept: benchmark calls several times for one measurement.
const Setup& setup_of(const ConvVariant& variant, const Layer& layer) {
  static std::unique_ptr<Setup> last;
  if (!last || last->variant != &variant || last->layer != &layer)
    last = std::make_unique<Setup>(variant, layer);
  return *last;
}

// Of one thread with the instruction set that the variant needs.
double peak_of(const ConvVariant& variant) {
  static std::map<Isa, Peaks> measured;
  auto [at, fresh] = measured.try_emplace(variant.isa);
  if (fresh) at->second = measure_peaks(variant.isa);
  return at->second.best(variant.numbers);
}

// rows: all of them, or a strip that stays in the caches, computed over and over.
void convolve(benchmark::State& state, const ConvVariant& variant, const Layer& layer, int rows) {
  const Setup& s = setup_of(variant, layer);
  if (!s.kernel) return state.SkipWithError(std::string(variant.refuses(s.problem)).c_str());
  const Map inputs[] = {s.in.map, s.res.map};
  for (auto _ : state) s.kernel->rows(std::span(inputs, s.problem.residual ? 2 : 1), s.out.map, 0, rows);
  const double macs =
      double(rows) * layer.width * layer.in * layer.out * layer.kernel * layer.kernel / layer.group;
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsIterationInvariantRate,
                                                benchmark::Counter::kIs1000);
  state.counters["share"] =
      benchmark::Counter(macs * 1e-9 / peak_of(variant), benchmark::Counter::kIsIterationInvariantRate);
}

constexpr int kStrip = 8;

const bool registered = [] {
  for (const ConvVariant& v : conv_variants()) {
    if (!machine_has(v.isa) || (v.needs_avx512_bf16 && !machine_has_avx512_bf16()) || v.isa == Isa::scalar)
      continue;
    for (const Layer& layer : kLayers) {
      if (layer.wide && v.numbers != Numbers::int8) continue;
      for (bool strip : {false, true}) {
        const std::string label = std::string(name(v.numbers)) + "/" + std::string(v.name) + "/" +
                                  std::string(layer.name) + (strip ? "/strip" : "/picture");
        const int rows = strip ? kStrip : layer.height;
        benchmark::RegisterBenchmark(label.c_str(), [&v, &layer, rows](benchmark::State& state) {
          convolve(state, v, layer, rows);
        })->Unit(benchmark::kMillisecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace fye
