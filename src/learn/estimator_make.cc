// A block is one picture at some places; a place is a square of `side` pixels on the grid of all networks;
// each of its versions is computed by itself on a window around the square that is wide enough for the
// networks' receptive fields, then cut out, made grey and scored. Tested by learn/estimator_make_test.cc.
#include "learn/estimator_make.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "image/colour.h"
#include "image/resize.h"
#include "import/sha256.h"
#include "learn/estimator_degrade.h"
#include "quality/piqe.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

constexpr int kPiqeBlock = 16;
constexpr int kPlansPerPlace = 3;  // of each network
constexpr int kHoldOutPlanEvery = 8;
constexpr int kHeldOutRounds = 4;  // times a held-out picture is drawn from
constexpr int kSurround = 8;         // low-resolution pixels around a window; ABPN sees 7
constexpr double kNoise[2] = {1, 25}, kBlur[2] = {0.4, 2.5};
constexpr int kQuality[2] = {10, 95};

struct Source {
  const Picture* picture;
  bool held;
};

struct Version {
  CropKind kind;
  int net;   // -1: none
  int plan;  // index into its network's pool; -1: drawn at random
};

// A picture in which the crop begins at (x, y).
struct Window {
  Picture picture;
  int x = 0, y = 0;
};

struct Maker {
  const std::vector<PlannedNet>& nets;
  const MakeOptions& options;
  std::vector<std::vector<Plan>> pools;  // by network
  std::vector<Plan> f32, int8;           // by network
  std::vector<Version> versions;         // of a place
  fs::path scratch;
};

Picture cut(const Picture& from, int x, int y, int width, int height) {
  Picture result(width, height, from.channels);
  const size_t pixel = size_t(from.channels);
  for (int row = 0; row < height; ++row)
    std::copy_n(from.u8() + (size_t(y + row) * from.width + x) * pixel, width * pixel,
                result.u8() + size_t(row) * width * pixel);
  return result;
}

std::vector<Version> versions_for(size_t nets) {
  std::vector<Version> all{{CropKind::original, -1, -1}};
  for (int net = 0; net < int(nets); ++net) {
    for (const auto kind : {CropKind::bicubic, CropKind::f32, CropKind::int8}) all.push_back({kind, net, -1});
    for (int i = 0; i < kPlansPerPlace; ++i) all.push_back({CropKind::mixed, net, -1});
  }
  for (const auto kind : {CropKind::noise, CropKind::blur, CropKind::jpeg}) all.push_back({kind, -1, -1});
  return all;
}

// Between the two, evenly in their logarithms.
double between(const double (&ends)[2], Random& random) {
  const double share = double(random.next() >> 11) * 0x1p-53;
  return ends[0] * std::pow(ends[1] / ends[0], share);
}

// The square (left, top) of `high` as original (version.net < 0) or made again from a smaller picture.
Result<Window> clean(const Maker& maker, const Picture& high, int left, int top, const Version& version) {
  const int scale = version.net < 0 ? 1 : maker.nets[version.net].scale;
  const int side = maker.options.side / scale;
  const int w = std::min(high.width / scale, side + 2 * kSurround),
            h = std::min(high.height / scale, side + 2 * kSurround);
  const int x = std::clamp(left / scale - kSurround, 0, high.width / scale - w);
  const int y = std::clamp(top / scale - kSurround, 0, high.height / scale - h);
  Window window{cut(high, x * scale, y * scale, w * scale, h * scale), left - x * scale, top - y * scale};
  if (version.net < 0) return window;
  const PlannedNet& net = maker.nets[version.net];
  const Picture low = matlab_bicubic(window.picture, w, h);
  if (version.kind == CropKind::bicubic) {
    window.picture = matlab_bicubic(low, w * scale, h * scale);
    return window;
  }
  const Plan& plan = version.kind == CropKind::f32    ? maker.f32[version.net]
                     : version.kind == CropKind::int8 ? maker.int8[version.net]
                                                      : maker.pools[version.net][version.plan];
  auto made = enlarge(net, plan, low);
  if (!made) return made.error();
  window.picture = *std::move(made);
  return window;
}

// A window moved by a few pixels, so that JPEG's blocks lie anywhere.
Result<Window> degraded(const Maker& maker, const Picture& high, int left, int top, CropKind kind,
                        Random& random, const std::string& name) {
  Version base{CropKind::original, random.below(int(maker.nets.size()) + 1) - 1, -1};
  if (base.net >= 0) base.kind = random.below(2) ? CropKind::bicubic : CropKind::f32;
  auto window = clean(maker, high, left, top, base);
  if (!window) return window;
  Picture& picture = window->picture;
  if (kind == CropKind::noise) {
    picture = with_noise(picture, between(kNoise, random), random);
  } else if (kind == CropKind::blur) {
    picture = blurred(picture, between(kBlur, random));
  } else {
    const int quality = kQuality[0] + random.below(kQuality[1] - kQuality[0] + 1);
    auto coded = through_jpeg(picture, quality, maker.scratch / (name + ".jpg"));
    if (!coded) return coded.error();
    picture = *std::move(coded);
  }
  const int side = maker.options.side;
  window->x = std::clamp(window->x + random.below(8), 0, picture.width - side);
  window->y = std::clamp(window->y + random.below(8), 0, picture.height - side);
  return window;
}

struct CropPlace {
  const Source* source;
  int left, top;
  uint32_t number;
};

// One crop: its grey values to `pixels`, the rest returned.
Result<CropInfo> make_crop(const Maker& maker, const CropPlace& place, Version version, Random random,
                           const std::string& name, uint8_t* pixels) {
  const Picture& high = *place.source->picture;
  if (version.kind == CropKind::mixed) version.plan = random.below(int(maker.pools[version.net].size()));
  const auto window = version.kind >= CropKind::noise
                          ? degraded(maker, high, place.left, place.top, version.kind, random, name)
                          : clean(maker, high, place.left, place.top, version);
  if (!window) return window.error();
  const int side = maker.options.side;
  const Plane plane = grey(cut(window->picture, window->x, window->y, side, side));
  std::transform(plane.values.begin(), plane.values.end(), pixels, [](double v) { return uint8_t(v); });
  ThreadPool here(1);
  CropInfo info{.score = float(piqe(plane, here).score), .place = place.number, .kind = version.kind};
  if (version.net >= 0) info.net = uint8_t(version.net);
  if (version.kind == CropKind::mixed) {
    info.plan = uint16_t(version.plan);
    info.held_plan = version.plan % kHoldOutPlanEvery == kHoldOutPlanEvery - 1;
  }
  info.held_picture = place.source->held;
  return info;
}

// Everything that the crops follow from, in 40 characters.
std::string digest_of(const Maker& maker, const std::vector<Source>& sources, int places) {
  std::string text =
      fmt::format("{} {} {} {}\n", maker.options.side, places, maker.options.plans, maker.options.seed);
  for (size_t i = 0; i < maker.nets.size(); ++i) {
    text += fmt::format("{} {}\n", maker.nets[i].name, maker.nets[i].graph.sha256);
    for (const Plan& plan : maker.pools[i])
      for (const PlanStep& step : plan.steps) text += step.processor + " ";
  }
  for (const Source& source : sources) {
    const auto& bytes = source.picture->bytes;
    text += sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  return sha256_hex(text).substr(0, 40);
}

std::vector<Source> sources_of(const TrainingSet& pictures, int side) {
  std::vector<Source> sources;
  const auto add = [&](const Picture& picture, bool held) {
    if (picture.width >= side && picture.height >= side) sources.push_back({&picture, held});
  };
  for (const auto& pair : pictures.train) add(pair.high, false);
  for (int round = 0; round < kHeldOutRounds; ++round)
    for (const auto& pair : pictures.validation) add(pair.high, true);
  return sources;
}

}  // namespace

int common_scale(const std::vector<PlannedNet>& nets) {
  int scale = 1;
  for (const auto& net : nets) scale = std::lcm(scale, net.scale);
  return scale;
}

Result<bool> make_crops(const TrainingSet& pictures, const std::vector<PlannedNet>& nets,
                        const MakeOptions& options, const fs::path& path,
                        const std::function<void(int, int)>& report, const std::atomic<bool>& stop) {
  const int grid = common_scale(nets), side = options.side;
  if (side % grid || side % kPiqeBlock)
    return usage_error(
        fmt::format("crops of {} pixels: not a multiple of {} and of {}", side, grid, kPiqeBlock));
  Maker maker{nets, options, {}, {}, {}, versions_for(nets.size()), path.parent_path()};
  for (size_t i = 0; i < nets.size(); ++i) {
    maker.pools.push_back(random_plans(nets[i].graph, options.plans, options.seed + i));
    maker.f32.push_back(uniform_plan(nets[i].graph, "cpu.f32"));
    maker.int8.push_back(uniform_plan(nets[i].graph, "cpu.int8"));
    if (maker.pools[i].empty()) return usage_error(nets[i].name + ": has too few units for plans");
  }
  const auto sources = sources_of(pictures, side);
  if (sources.empty()) return bad_input(fmt::format("no picture is {} pixels wide and high", side));
  const int per_place = int(maker.versions.size());
  const int places =
      std::max(1, int(std::lround(double(options.crops) / (double(sources.size()) * per_place))));
  const CropHeader header{side, places * per_place, int(sources.size()), digest_of(maker, sources, places)};
  auto done = begin_crops(path, header);
  if (!done) return done.error();

  ThreadPool threads(options.threads);
  for (int block = *done; block < header.blocks; ++block) {
    report(block, header.blocks);
    if (stop) return false;
    Random random{options.seed * 0x9e3779b97f4a7c15u + uint64_t(block)};
    const Picture& picture = *sources[block].picture;
    std::vector<CropPlace> there;
    for (int i = 0; i < places; ++i)
      there.push_back({&sources[block], grid * random.below((picture.width - side) / grid + 1),
                       grid * random.below((picture.height - side) / grid + 1),
                       uint32_t(block * places + i)});
    std::vector<Random> randoms;
    for (int i = 0; i < header.block_crops; ++i) randoms.push_back({random.next()});
    std::vector<CropInfo> infos(header.block_crops);
    std::vector<uint8_t> pixels(size_t(header.block_crops) * side * side);
    std::mutex mutex;
    std::optional<Error> failed;
    threads.parallel_for(header.block_crops, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto info = make_crop(maker, there[i / per_place], maker.versions[i % per_place], randoms[i],
                                    fmt::format("crop{}", i), &pixels[size_t(i) * side * side]);
        const std::lock_guard lock(mutex);
        if (info)
          infos[i] = *info;
        else
          failed = info.error();
      }
    });
    if (failed) return *failed;
    if (auto added = append_block(path, infos, pixels); !added) return added.error();
  }
  report(header.blocks, header.blocks);
  return true;
}

}  // namespace fye
