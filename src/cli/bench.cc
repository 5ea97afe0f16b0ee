// fye bench MODEL
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <random>

#include "base/clock.h"
#include "base/json.h"
#include "cli/model_options.h"
#include "cli/parse.h"
#include "cli/peaks.h"
#include "cli/verb.h"
#include "execute/macs.h"
#include "runtime/upscale.h"

namespace fye {
namespace {

constexpr int kWarmUps = 2;  // first touch of the memory, clock speed

struct BenchFlags {
  ModelOptions model;
  std::string size = "640x360", numbers = "f32", plan, threads = "1";
  int rounds = 20, tile = 0;
  bool json = false, serve = false;
};

// One network ready to be run on one random picture.
struct Bench {
  Model model;
  ThreadPool threads;
  std::optional<Upscaler> upscaler;
  Picture in, out;
  int64_t macs = 0;
  bool planned = false;

  Bench(Model m, int count) : model(std::move(m)), threads(count) {}

  Result<double> round() {
    const Stopwatch watch;
    const Status done = upscaler->run_into(in, out);
    if (!done) return done.error();
    return watch.ms();
  }
};

// Noise: the time of a network doesn't depend on what it sees, and noise has no zeros to skip.
Picture random_picture(Size size) {
  Picture picture(size.width, size.height, 3);
  std::minstd_rand random(1);
  for (uint8_t& byte : picture.bytes) byte = static_cast<uint8_t>(random() >> 8);
  return picture;
}

Result<std::unique_ptr<Bench>> prepare(const BenchFlags& options) {
  const auto size = parse_size("--size", options.size);
  if (!size) return size.error();
  const auto threads = parse_threads("--threads", options.threads);
  if (!threads) return threads.error();
  auto model = load_model(options.model, 0);
  if (!model) return model.error();
  auto bench = std::make_unique<Bench>(*std::move(model), *threads);

  UpscaleOptions upscale;
  upscale.tile = options.tile;
  if (options.plan.empty()) {
    const auto numbers = parse_numbers("--numbers", options.numbers);
    if (!numbers) return numbers.error();
    upscale.numbers = *numbers;
  } else {
    auto plan = read_plan(options.plan, bench->model.graph.sha256);
    if (!plan) return plan.error();
    upscale.plan = *std::move(plan);
    bench->planned = true;
  }
  auto upscaler = Upscaler::create(bench->model, upscale, bench->threads);
  if (!upscaler) return upscaler.error();
  bench->upscaler.emplace(*std::move(upscaler));

  const Conventions& conventions = bench->model.conventions;
  const int enlarged = conventions.bicubic_first ? conventions.scale : 1;
  const auto macs = macs_of(bench->model.graph, size->height * enlarged, size->width * enlarged);
  if (!macs) return macs.error();
  bench->macs = *macs;
  bench->in = random_picture(*size);
  bench->out = Picture(size->width * conventions.scale, size->height * conventions.scale, 3);
  for (int i = 0; i < kWarmUps; ++i) {
    if (const auto ms = bench->round(); !ms) return ms.error();
  }
  return bench;
}

double peak_rss_mb() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// One round for each line on stdin, its milliseconds on stdout: so that another program can take turns with
// rivals.
Status serve(Bench& bench) {
  fmt::print("ready\n");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto ms = bench.round();
    if (!ms) return ms.error();
    fmt::print("{:.4f}\n", *ms);
    std::fflush(stdout);
  }
  return {};
}

Status run(const BenchFlags& options) {
  auto prepared = prepare(options);
  if (!prepared) return prepared.error();
  Bench& bench = **prepared;
  if (options.serve) return serve(bench);

  std::vector<double> times;
  for (int i = 0; i < options.rounds; ++i) {
    const auto ms = bench.round();
    if (!ms) return ms.error();
    times.push_back(*ms);
  }
  const double least = *std::min_element(times.begin(), times.end());
  const Numbers numbers = bench.upscaler->numbers();
  // Measured after the rounds, so that it neither warms nor tires the processor for them; a mixture has no
  // one peak.
  const double peak =
      bench.planned ? 0 : peak_gmacs(measured_peaks(Refresh::no), numbers) * bench.threads.size();
  const double gmacs = static_cast<double>(bench.macs) / least / 1e6;
  const Json json = {{"model", bench.model.name},
                     {"model_sha256", bench.model.graph.sha256},
                     {"width", bench.in.width},
                     {"height", bench.in.height},
                     {"numbers", bench.planned ? "plan" : std::string(name(numbers))},
                     {"threads", bench.threads.size()},
                     {"rounds", options.rounds},
                     {"min_ms", least},
                     {"median_ms", median(times)},
                     {"macs", bench.macs},
                     {"gmacs_per_s", gmacs},
                     {"peak_share", peak > 0 ? Json(gmacs / peak) : Json(nullptr)},
                     {"isa", name(active_isa())},
                     {"cpu", cpu_model()},
                     {"peak_rss_mb", peak_rss_mb()}};
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return {};
  }
  fmt::print(
      "{} {}x{} {} on {}, {} thread{}: {:.2f} ms at best, {:.2f} ms in the middle of {}; {:.1f} GMAC/s{}; "
      "{:.0f} MB\n",
      bench.model.name, bench.in.width, bench.in.height, json["numbers"].get<std::string>(),
      name(active_isa()), bench.threads.size(), bench.threads.size() == 1 ? "" : "s", least, median(times),
      options.rounds, gmacs,
      peak > 0 ? fmt::format(", {:.0f} % of the measured peak", 100 * gmacs / peak) : "", peak_rss_mb());
  return {};
}

}  // namespace

Run add_bench(CLI::App& app) {
  auto options = std::make_shared<BenchFlags>();
  BenchFlags& o = *options;
  add_model_argument(app, o.model);
  app.add_option("--size", o.size, "of the picture that goes in")->capture_default_str();
  app.add_option("--numbers", o.numbers, "f32, bf16, int8 or int8r16")->capture_default_str();
  app.add_option("--plan", o.plan, "plan.json instead of --numbers");
  app.add_option("--threads,-j", o.threads, "processor cores to use")->capture_default_str();
  app.add_option("--rounds", o.rounds, "timed runs, after two to warm up")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--tile,-t", o.tile, "edge of a tile in input pixels; 0: bands of the whole width")
      ->check(CLI::Range(0, 65535));
  app.add_flag("--json", o.json, "print JSON");
  app.add_flag("--serve", o.serve, "run one round for each line on stdin and print its milliseconds");
  app.footer(
      R"(Times 8-bit RGB in memory to 8-bit RGB in memory. peak_share is the network's multiply-accumulates over the best
time, over the peak that fye doctor --measure finds for one core, times the threads.

Examples:
  fye bench abpn_x3 --numbers int8 --size 640x360 --threads 1
  FYE_MAX_ISA=avx2 fye bench abpn_x3 --numbers int8 --json)");
  return [options] { return run(*options); };
}

}  // namespace fye
