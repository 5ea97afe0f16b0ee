// Tested by execute/patches_test.cc.
#include "execute/patches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <set>

#include "base/buffer.h"
#include "base/crew.h"
#include "execute/plain.h"

namespace fye {
namespace {

constexpr int kLeastPatch = 8, kMostPatch = 4096, kMostHalo = 256;
constexpr double kSumTolerance = 1e-6;  // of the sum of the parts
// BT.601, as image/colour.h.
constexpr double kRed = .299, kGreen = .587, kBlue = .114;

double value(const Map& map, const std::byte* pixel, int channel) {
  switch (map.type) {
    case DType::u8:
      return double(map.quant.scale) * (reinterpret_cast<const uint8_t*>(pixel)[channel] - map.quant.zero);
    case DType::u16:
      return double(map.quant.scale) * (reinterpret_cast<const uint16_t*>(pixel)[channel] - map.quant.zero);
    default:
      return double(reinterpret_cast<const float*>(pixel)[channel]);
  }
}

double luma(const Map& map, int y, int x) {
  const std::byte* pixel = pixel_at(map, y, x);
  if (map.channels < 3) return value(map, pixel, 0);
  return kRed * value(map, pixel, 0) + kGreen * value(map, pixel, 1) + kBlue * value(map, pixel, 2);
}

// Without repeating the edge: -1 is 1. Bounces as often as a halo wider than the picture needs.
int mirrored(int at, int length) {
  if (length == 1) return 0;
  const int period = 2 * (length - 1);
  at = ((at % period) + period) % period;
  return at < length ? at : period - at;
}

// A packed map of `size` x `size` pixels with the memory behind it.
struct Own {
  Buffer memory;
  Map map;
  Own(const Map& like, int channels, int size) {
    map = like;
    map.channels = map.pitch = channels;
    map.margin = 0;
    map.region = {0, 0, size, size};
    map.row_bytes = ptrdiff_t(size) * channels * size_of(like.type);
    memory = Buffer(size_t(map.row_bytes) * size_t(size));
    map.origin = memory.data();
  }
};

void cut_out(const Map& in, const Region& core, int halo, const Map& patch) {
  const size_t bytes = size_t(in.channels) * size_t(size_of(in.type));
  const int height = in.region.h, width = in.region.w;
  for (int y = 0; y < patch.region.h; ++y) {
    const int from = mirrored(core.y - halo + y, height);
    std::byte* target = pixel_at(patch, y, 0);
    for (int x = 0; x < patch.region.w; ++x, target += bytes)
      std::memcpy(target, pixel_at(in, from, mirrored(core.x - halo + x, width)), bytes);
  }
}

void put_back(const Map& patch, const Region& core, int halo, int factor, const Map& out) {
  const size_t bytes = size_t(core.w) * size_t(factor) * size_t(out.channels) * size_t(size_of(out.type));
  for (int y = 0; y < core.h * factor; ++y)
    std::memcpy(pixel_at(out, core.y * factor + y, core.x * factor),
                pixel_at(patch, halo * factor + y, halo * factor), bytes);
}

}  // namespace

double total_variation(const Map& map, const Region& r, double to_levels) {
  double sum = 0;
  std::vector<double> row(size_t(r.w)), below(size_t(r.w));
  for (int x = 0; x < r.w; ++x) row[size_t(x)] = luma(map, r.y, r.x + x);
  for (int y = 0; y < r.h; ++y) {
    for (int x = 0; x + 1 < r.w; ++x) sum += std::abs(row[size_t(x) + 1] - row[size_t(x)]);
    if (y + 1 == r.h) break;
    for (int x = 0; x < r.w; ++x) {
      below[size_t(x)] = luma(map, r.y + y + 1, r.x + x);
      sum += std::abs(below[size_t(x)] - row[size_t(x)]);
    }
    row.swap(below);
  }
  return sum * to_levels / (double(r.h) * r.w);
}

std::vector<Region> patch_cores(int height, int width, int size) {
  std::vector<Region> cores;
  for (int y = 0; y < height; y += size)
    for (int x = 0; x < width; x += size)
      cores.push_back({y, x, std::min(size, height - y), std::min(size, width - x)});
  return cores;
}

std::vector<int> deal_patches(std::span<const double> variation, std::span<const PatchShare> shares) {
  const size_t count = variation.size();
  std::vector<int> taker(count, int(shares.size()) - 1);
  const bool fixed =
      shares.size() > 1 && std::all_of(shares.begin(), shares.end() - 1,
                                       [](const PatchShare& share) { return share.above.has_value(); });
  if (fixed) {
    for (size_t i = 0; i < count; ++i)
      for (size_t s = 0; s + 1 < shares.size(); ++s)
        if (variation[i] > *shares[s].above) {
          taker[i] = int(s);
          break;
        }
    return taker;
  }
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return variation[a] > variation[b]; });
  double sum = 0;
  size_t at = 0;
  for (size_t s = 0; s < shares.size(); ++s) {
    sum += shares[s].part;
    const auto end =
        s + 1 == shares.size() ? count : std::min(count, size_t(std::llround(sum * double(count))));
    for (; at < end; ++at) taker[order[at]] = int(s);
  }
  return taker;
}

struct PatchExecutor::State {
  PatchRule rule;
  std::vector<PatchShare> shares;
  std::vector<Executor> engines;  // one a share
  std::vector<int> members;       // of the crew, by share; kNone: all threads
  std::unique_ptr<Crew> crew;
  std::vector<std::unique_ptr<ThreadPool>> alone;  // by share
  double to_levels = 1;
  int height = 0, width = 0, factor = 1, edge = 0;
  std::vector<int> counts;
};

PatchExecutor::PatchExecutor(std::unique_ptr<State> state) : state_(std::move(state)) {}
PatchExecutor::PatchExecutor(PatchExecutor&&) noexcept = default;
PatchExecutor::~PatchExecutor() = default;

Result<PatchExecutor> PatchExecutor::prepare(const Graph& graph, const Calib* calib,
                                             std::span<const PatchShare> shares, const PatchRule& rule,
                                             double to_levels, int height, int width, Isa max) {
  const auto wrong = [](const std::string& what) {
    return bad_input("patches: " + what, "docs/formats.md describes plan.json");
  };
  if (rule.size < kLeastPatch || rule.size > kMostPatch)
    return wrong(fmt::format("{} pixels a side; {} to {} are possible", rule.size, kLeastPatch, kMostPatch));
  if (rule.halo < 0 || rule.halo > kMostHalo)
    return wrong(fmt::format("a halo of {} pixels; 0 to {} are possible", rule.halo, kMostHalo));
  if (shares.empty()) return wrong("nobody takes them");
  double sum = 0;
  std::set<std::string_view> names;
  for (const PatchShare& share : shares) {
    if (!(share.part >= 0) || !std::isfinite(share.part) || (share.above && !std::isfinite(*share.above)))
      return wrong(
          fmt::format("{}'s part is no number from 0 to 1, or its threshold none", share.processor->name()));
    if (!names.insert(share.processor->name()).second)
      return wrong(fmt::format("{} is named twice", share.processor->name()));
    sum += share.part;
  }
  if (std::abs(sum - 1) > kSumTolerance) return wrong(fmt::format("the parts add up to {}, not 1", sum));
  for (const Node& node : graph.nodes)
    if (is_global(node))
      return wrong(fmt::format("node \"{}\" ({}) needs the whole picture", node.name, op_name(node)));
  auto factor = upscale_factor(graph);
  if (!factor) return factor.error();

  auto state = std::make_unique<State>();
  State& s = *state;
  s.rule = rule, s.to_levels = to_levels, s.height = height, s.width = width, s.factor = *factor;
  s.edge = rule.size + 2 * rule.halo;
  s.shares.assign(shares.begin(), shares.end());
  std::vector<int> cores;
  for (const PatchShare& share : shares) {
    const auto placement = everywhere(graph, share.processor);
    auto engine = Executor::prepare(graph, calib, placement, {.height = s.edge, .width = s.edge, .max = max});
    if (!engine) return engine.error();
    s.engines.push_back(*std::move(engine));
    s.alone.push_back(std::make_unique<ThreadPool>(1));
    const int core = share.processor->core();
    s.members.push_back(kNone);
    if (core < 0) continue;
    const auto found = std::find(cores.begin(), cores.end(), core);
    s.members.back() = int(found - cores.begin());
    if (found == cores.end()) cores.push_back(core);
  }
  s.crew = std::make_unique<Crew>(cores);
  return PatchExecutor(std::move(state));
}

int PatchExecutor::out_height() const { return state_->height * state_->factor; }
int PatchExecutor::out_width() const { return state_->width * state_->factor; }
int PatchExecutor::out_channels() const { return state_->engines[0].out_channels(); }
size_t PatchExecutor::arena_bytes() const {
  size_t bytes = 0;
  for (const Executor& engine : state_->engines) bytes += engine.arena_bytes();
  return bytes;
}
const std::vector<int>& PatchExecutor::counts() const { return state_->counts; }

Status PatchExecutor::run_one(int share, const Map& in, const Map& out, ThreadPool& threads) {
  State& s = *state_;
  const auto i = size_t(share);
  if (s.members[i] == kNone) return s.engines[i].run(in, out, threads);
  const Crew::Seat seat(*s.crew);
  Status status;
  const int member[] = {s.members[i]};
  s.crew->run(member, [&](int) { status = s.engines[i].run(in, out, *s.alone[i]); });
  return status;
}

Status PatchExecutor::run(const Map& in, const Map& out, ThreadPool& threads) {
  State& s = *state_;
  if (in.region != Region{0, 0, s.height, s.width} || out.region != Region{0, 0, out_height(), out_width()} ||
      out.channels != out_channels())
    return internal_error("the maps given to PatchExecutor::run are not of the size it was prepared for");
  const Crew::Seat seat(*s.crew);
  const std::vector<Region> cores = patch_cores(s.height, s.width, s.rule.size);
  std::vector<double> variation;
  for (const Region& core : cores) variation.push_back(total_variation(in, core, s.to_levels));
  const std::vector<int> taker = deal_patches(variation, s.shares);
  s.counts.assign(s.shares.size(), 0);
  for (const int t : taker) ++s.counts[size_t(t)];

  std::vector<Status> status(s.shares.size());
  const auto work = [&](size_t share, ThreadPool& pool) {
    if (s.counts[share] == 0) return;
    const Own patch(in, in.channels, s.edge), larger(out, out.channels, s.edge * s.factor);
    for (size_t i = 0; i < cores.size() && status[share]; ++i) {
      if (taker[i] != int(share)) continue;
      cut_out(in, cores[i], s.rule.halo, patch.map);
      status[share] = s.engines[share].run(patch.map, larger.map, pool);
      if (status[share]) put_back(larger.map, cores[i], s.rule.halo, s.factor, out);
    }
  };
  std::vector<int> members;
  for (const int m : s.members)
    if (m != kNone && std::find(members.begin(), members.end(), m) == members.end()) members.push_back(m);
  if (!members.empty())
    s.crew->run(members, [&](int member) {
      for (size_t share = 0; share < s.shares.size(); ++share)
        if (s.members[share] == member) work(share, *s.alone[share]);
    });
  for (size_t share = 0; share < s.shares.size(); ++share)
    if (s.members[share] == kNone) work(share, threads);
  for (Status& each : status)
    if (!each) return std::move(each);
  return {};
}

}  // namespace fye
