// The executor hands out one tensor; the taps are read by an observer while they are in the arena. A tap
// becomes Features: its values and the length of the vector at each position. Sums are in double, a row at a
// time, rows added in order, so that threads don't show. Tested by quality/lpips_test.cc against the formulas
// on dense tensors.
#include "quality/lpips_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <numeric>
#include <optional>

#include "base/buffer.h"
#include "base/threads.h"
#include "execute/plain.h"
#include "graph/passes/passes.h"
#include "processors/segment_maps.h"

namespace fye {
namespace {

// Network and buffers for this many picture sizes are kept: a set of photographs has two, upright and not.
constexpr size_t kSizesKept = 2;

// LPIPS's guard against positions where every channel is 0.
constexpr double kEpsilon = 1e-10;

// What the network sees in a picture at one tap.
struct Features {
  int height = 0, width = 0, channels = 0;
  std::vector<float> values;    // [height][width][channels]
  std::vector<double> inverse;  // [height][width]: 1 / (length over the channels + kEpsilon)
};
using Taps = std::array<Features, kAlexConvs.size()>;

// A whole map with its memory.
struct OwnedMap {
  Buffer memory;
  Map map;
  OwnedMap(int channels, int height, int width) {
    const Map layout = map_layout({DType::f32, {}, channels}, {0, 0, height, width}, 0);
    memory = Buffer(map_bytes(layout));
    map = place_map(layout, memory.data());
  }
};

// RGB in -1..1, [height][width][3].
std::vector<float> network_input(const Picture& picture) {
  const size_t pixels = size_t(picture.width) * picture.height;
  const bool grey = picture.channels < 3, deep = picture.bits == 16;
  std::vector<float> values(pixels * 3);
  for (size_t i = 0; i < pixels; ++i) {
    for (int c = 0; c < 3; ++c) {
      const size_t at = i * picture.channels + (grey ? 0 : c);
      const double level = deep ? picture.u16()[at] / 257.0 : picture.u8()[at];
      values[i * 3 + c] = float(level / 127.5 - 1);
    }
  }
  return values;
}

Features features_of(const Map& tap, ThreadPool& threads) {
  Features f{tap.region.h, tap.region.w, tap.channels};
  f.values.resize(size_t(f.height) * f.width * f.channels);
  f.inverse.resize(size_t(f.height) * f.width);
  threads.parallel_for(f.height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      for (int x = 0; x < f.width; ++x) {
        const float* from = tap.at<const float>(int(y), x);
        const size_t position = size_t(y) * f.width + x;
        float* to = f.values.data() + position * f.channels;
        double squares = 0;
        for (int c = 0; c < f.channels; ++c) {
          to[c] = from[c];
          squares += double(from[c]) * from[c];
        }
        f.inverse[position] = 1 / (std::sqrt(squares) + kEpsilon);
      }
    }
  });
  return f;
}

// The mean over all positions of the weighted squared difference between unit vectors.
double tap_distance(const Features& a, const Features& b, const std::vector<float>& lin,
                    ThreadPool& threads) {
  std::vector<double> rows(size_t(a.height));
  threads.parallel_for(a.height, 1, [&](int64_t begin, int64_t end) {
    for (int64_t y = begin; y < end; ++y) {
      for (int x = 0; x < a.width; ++x) {
        const size_t position = size_t(y) * a.width + x;
        const float* va = a.values.data() + position * a.channels;
        const float* vb = b.values.data() + position * a.channels;
        const double ia = a.inverse[position], ib = b.inverse[position];
        double sum = 0;
        for (int c = 0; c < a.channels; ++c) {
          const double difference = va[c] * ia - vb[c] * ib;
          sum += lin[size_t(c)] * difference * difference;
        }
        rows[size_t(y)] += sum;
      }
    }
  });
  return std::accumulate(rows.begin(), rows.end(), 0.0) / (double(a.height) * a.width);
}

// What is run: the network without the linear layers, and with a mean over each tap, all joined as its one
// output. A pooling may leave its input's last row and column unread, and an executor computes no more than
// what is read: the mean reads everything.
Graph with_whole_taps(Graph network) {
  const auto add = [&](std::string name, Attributes op, std::vector<TensorId> inputs, Shape shape) {
    const TensorId output = TensorId(network.tensors.size());
    network.tensors.push_back({name, std::move(shape)});
    network.nodes.push_back({std::move(name), std::move(inputs), output, std::move(op)});
    return output;
  };
  std::vector<TensorId> means;
  int64_t channels = 0;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    means.push_back(add(fmt::format("mean{}", i + 1), GlobalAveragePool{}, {network.outputs[i]},
                        {1, kAlexConvs[i].out, 1, 1}));
    channels += kAlexConvs[i].out;
  }
  network.outputs = {add("means", Concat{}, means, {1, channels, 1, 1})};
  return fuse(std::move(network));
}

}  // namespace

struct LpipsNetwork::State {
  struct Prepared {
    int height, width;
    Executor executor;
    OwnedMap in, out;
  };
  struct Seen {
    int height, width;
    std::vector<float> input;
    Taps taps;
  };

  std::mutex mutex;
  ThreadPool threads;
  Graph graph;
  std::array<std::vector<float>, kAlexConvs.size()> lin;
  std::vector<int> tap_of;       // node -> tap, or kNone
  std::list<Prepared> prepared;  // the last one used first
  std::optional<Seen> last;      // of the last `a`

  State(const LpipsWeights& weights, int thread_count)
      : threads(thread_count), graph(with_whole_taps(lpips_network(weights))) {
    for (size_t i = 0; i < lin.size(); ++i) lin[i] = weights.layers[i].lin;
    for (const Node& node : graph.nodes) {
      const std::string& name = graph.tensors[size_t(node.output)].name;
      tap_of.push_back(name.starts_with("tap") ? name.back() - '1' : kNone);
    }
  }

  Result<Prepared*> prepare(int height, int width) {
    const auto found = std::find_if(prepared.begin(), prepared.end(), [&](const Prepared& p) {
      return p.height == height && p.width == width;
    });
    if (found != prepared.end()) {
      prepared.splice(prepared.begin(), prepared, found);
      return &prepared.front();
    }
    auto processor = find_processor("cpu.f32", active_isa());
    if (!processor) return processor.error();
    auto executor =
        Executor::prepare(graph, nullptr, everywhere(graph, *processor), {.height = height, .width = width});
    if (!executor) return executor.error();
    if (prepared.size() >= kSizesKept) prepared.pop_back();
    OwnedMap out(executor->out_channels(), executor->out_height(), executor->out_width());
    prepared.push_front({height, width, *std::move(executor), OwnedMap(3, height, width), std::move(out)});
    return &prepared.front();
  }

  Result<Taps> look(const std::vector<float>& input, int height, int width) {
    auto net = prepare(height, width);
    if (!net) return net.error();
    Prepared& p = **net;
    for (int y = 0; y < height; ++y)
      std::copy_n(input.data() + size_t(y) * width * 3, size_t(width) * 3, p.in.map.at<float>(y, 0));
    Taps taps;
    const Observer observer = [&](int node, const Map& map) {
      if (tap_of[size_t(node)] != kNone) taps[size_t(tap_of[size_t(node)])] = features_of(map, threads);
    };
    if (auto ran = p.executor.run(p.in.map, p.out.map, threads, &observer); !ran) return ran.error();
    return taps;
  }

  Result<Score> distance(std::vector<float> a, const std::vector<float>& b, int height, int width) {
    if (a == b) return Score{0, true};
    if (!last || last->height != height || last->width != width || last->input != a) {
      last.reset();
      auto taps = look(a, height, width);
      if (!taps) return taps.error();
      last = Seen{height, width, std::move(a), *std::move(taps)};
    }
    auto taps = look(b, height, width);
    if (!taps) return taps.error();
    double sum = 0;
    for (size_t i = 0; i < lin.size(); ++i) sum += tap_distance(last->taps[i], (*taps)[i], lin[i], threads);
    return Score{sum, false};
  }
};

LpipsNetwork::LpipsNetwork(const LpipsWeights& weights, int threads)
    : state_(std::make_unique<State>(weights, threads)) {}
LpipsNetwork::~LpipsNetwork() = default;

Result<Score> LpipsNetwork::distance(const Picture& a, const Picture& b, int shave) {
  if (auto ok = check_pair(a, b, shave, kLpipsLeast); !ok) return ok.error();
  const int height = a.height - 2 * shave, width = a.width - 2 * shave;
  try {
    const std::lock_guard lock(state_->mutex);
    return state_->distance(network_input(shaved(a, shave)), network_input(shaved(b, shave)), height, width);
  } catch (const std::bad_alloc&) {
    return resource_error(fmt::format("no memory to look at two pictures of {}x{}", width, height),
                          "crop the pictures");
  }
}

}  // namespace fye
