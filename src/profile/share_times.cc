// Tested by profile/share_times_test.cc.
#include "profile/share_times.h"

#include <algorithm>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/crew.h"
#include "execute/shared.h"
#include "graph/units.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

constexpr int kWaits = 400;

// A picture and its larger copy, with memory of their own.
struct Pictures {
  Buffer in_memory, out_memory;
  Map in, out;

  Pictures(const Graph& graph, const MeasureOptions& options, int out_height, int out_width,
           int out_channels) {
    const int channels = int(graph.tensors[size_t(graph.inputs[0])].shape[1]);
    in = own({options.picture, options.picture_quant, channels}, options.height, options.width, in_memory);
    out = own({options.picture, options.picture_quant, out_channels}, out_height, out_width, out_memory);
    // Not all zero: sums of zeros could meet denormals or shortcuts that real pictures don't.
    if (options.picture == DType::u8)
      for (size_t i = 0; i < in_memory.size(); ++i) in_memory.data()[i] = std::byte(i * 37 % 251);
  }

 private:
  static Map own(const Format& format, int height, int width, Buffer& memory) {
    const Map layout = map_layout(format, {0, 0, height, width}, 0);
    memory = Buffer(map_bytes(layout));
    return place_map(layout, memory.data());
  }
};

}  // namespace

Result<ChannelTimes> measure_channels(const Graph& graph, const Calib* calib,
                                      std::span<const Processor* const, 2> pair, int steps, int rounds,
                                      const MeasureOptions& options, ThreadPool& threads,
                                      const std::function<void(double)>& progress) {
  const std::vector<Unit> units = units_of(graph);
  std::vector<size_t> unit_of(graph.nodes.size());
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) unit_of[size_t(node)] = u;
  std::vector<int> stage_of;
  for (const size_t unit : unit_of) stage_of.push_back(int(unit));

  ChannelTimes times;
  std::vector<SharedExecutor> executors;
  for (int step = 0; step <= steps; ++step) {
    const double part = double(step) / steps;
    times.parts.push_back(part);
    const std::vector<Stage> stages(units.size(), {Cut::channels, {{pair[0], part}, {pair[1], 1 - part}}});
    auto executor =
        SharedExecutor::prepare(graph, calib, stages, stage_of, options.height, options.width, options.max);
    if (!executor) return executor.error();
    executors.push_back(*std::move(executor));
  }
  const Pictures pictures(graph, options, executors[0].out_height(), executors[0].out_width(),
                          executors[0].out_channels());
  // By part, unit and round.
  std::vector<std::vector<std::vector<double>>> all(executors.size(),
                                                    std::vector<std::vector<double>>(units.size()));
  for (int round = -1; round < rounds; ++round)  // the first warms up
    for (size_t e = 0; e < executors.size(); ++e) {
      std::vector<double> ms(units.size(), 0);
      size_t last = 0;
      Stopwatch watch;
      double before = 0;
      const StepDone done = [&](int node, TensorId) {
        const double now = watch.ms();
        // The end of the run, which writes the picture, belongs to the last unit.
        if (node != kNone) last = unit_of[size_t(node)];
        if (node != kNone || before > 0) ms[last] += now - before;
        before = now;
      };
      if (auto status = executors[e].run(pictures.in, pictures.out, threads, nullptr, &done); !status)
        return status.error();
      if (round < 0) continue;
      for (size_t u = 0; u < units.size(); ++u) all[e][u].push_back(ms[u]);
      if (progress)
        progress(double(size_t(round) * executors.size() + e + 1) /
                 double(size_t(rounds) * executors.size()));
    }
  for (size_t u = 0; u < units.size(); ++u) {
    times.ms.emplace_back();
    for (const auto& of_part : all) times.ms.back().push_back(median(of_part[u]));
  }
  return times;
}

Result<std::vector<double>> measure_patches(const Graph& graph, const Calib* calib,
                                            std::span<const Processor* const> processors,
                                            const PatchRule& rule, int rounds, const MeasureOptions& options,
                                            ThreadPool& threads) {
  std::vector<PatchExecutor> executors;
  for (const Processor* processor : processors) {
    const PatchShare share[] = {{processor, 1, {}}};
    auto executor =
        PatchExecutor::prepare(graph, calib, share, rule, 1, options.height, options.width, options.max);
    if (!executor) return executor.error();
    executors.push_back(*std::move(executor));
  }
  const Pictures pictures(graph, options, executors[0].out_height(), executors[0].out_width(),
                          executors[0].out_channels());
  const double count = double(patch_cores(options.height, options.width, rule.size).size());
  std::vector<std::vector<double>> all(executors.size());
  for (int round = -1; round < rounds; ++round)
    for (size_t e = 0; e < executors.size(); ++e) {
      const Stopwatch watch;
      if (auto status = executors[e].run(pictures.in, pictures.out, threads); !status) return status.error();
      if (round >= 0) all[e].push_back(watch.ms() / count);
    }
  std::vector<double> ms;
  for (const auto& each : all) ms.push_back(median(each));
  return ms;
}

double measure_wait(std::span<const Processor* const, 2> pair) {
  const int cores[] = {pair[0]->core(), pair[1]->core()};
  if (cores[0] < 0 || cores[1] < 0 || cores[0] == cores[1]) return 0;
  Crew crew(cores);
  const Crew::Seat seat(crew);
  constexpr int kBoth[] = {0, 1};
  std::vector<double> ms;
  for (int i = 0; i < kWaits; ++i) {
    const Stopwatch watch;
    crew.run(kBoth, [](int) {});
    ms.push_back(watch.ms());
  }
  return median(ms);
}

}  // namespace fye
