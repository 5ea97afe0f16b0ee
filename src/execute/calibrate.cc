// One float run over the pictures collects ranges, a second one (honest only) what bias correction needs,
// once the grids are known; then int8 itself is run and compared. Tested by calibrate_test.cc.
#include "execute/calibrate.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "base/buffer.h"
#include "execute/bias_correction.h"
#include "execute/calibrate_grids.h"
#include "execute/fidelity.h"
#include "execute/plain.h"
#include "kernels/convert/convert.h"
#include "quant/picture_quant.h"

namespace fye {
namespace {

// A packed f32 map that owns its memory.
class FloatPicture {
 public:
  FloatPicture(int height, int width, int channels)
      : memory_(size_t(height) * width * channels * sizeof(float)) {
    map_.channels = map_.pitch = channels;
    map_.region = {0, 0, height, width};
    map_.row_bytes = ptrdiff_t(width) * channels * ptrdiff_t(sizeof(float));
    map_.origin = memory_.data();
  }
  const Map& map() const { return map_; }

 private:
  Buffer memory_;
  Map map_;
};

FloatPicture as_floats(const Map& picture) {
  FloatPicture copy(picture.region.h, picture.region.w, picture.channels);
  convert_rows(picture, copy.map(), 0, picture.region.h, Isa::scalar);
  return copy;
}

// Runs one placement over pictures of changing size.
class Runner {
 public:
  Runner(const Graph& graph, const Calib* calib, std::vector<const Processor*> placement, Isa max,
         ThreadPool& threads)
      : graph_(graph), calib_(calib), placement_(std::move(placement)), max_(max), threads_(threads) {}

  Result<FloatPicture> run(const Map& picture, const Observer* observer = nullptr) {
    if (!executor_ || picture.region.h != height_ || picture.region.w != width_) {
      height_ = picture.region.h, width_ = picture.region.w;
      auto prepared =
          Executor::prepare(graph_, calib_, placement_, {.height = height_, .width = width_, .max = max_});
      if (!prepared) return prepared.error();
      executor_ = std::make_unique<Executor>(*std::move(prepared));
    }
    FloatPicture out(executor_->out_height(), executor_->out_width(), executor_->out_channels());
    if (auto status = executor_->run(picture, out.map(), threads_, observer); !status) return status.error();
    return out;
  }

 private:
  const Graph& graph_;
  const Calib* calib_;
  std::vector<const Processor*> placement_;
  Isa max_;
  ThreadPool& threads_;
  int height_ = 0, width_ = 0;
  std::unique_ptr<Executor> executor_;
};

void observe(const Map& map, RangeObserver& observer) {
  const size_t row = size_t(map.region.w) * map.channels;
  for (int y = map.region.y; y < map.region.y + map.region.h; ++y) {
    const float* pixel = map.at<const float>(y, map.region.x);
    if (map.pitch == map.channels) {
      observer.add({pixel, row});
      continue;
    }
    for (int x = 0; x < map.region.w; ++x, pixel += map.pitch) observer.add({pixel, size_t(map.channels)});
  }
}

Status check(const Graph& graph, std::span<const Map> pictures) {
  if (graph.inputs.size() != 1 || graph.outputs.size() != 1)
    return bad_input(fmt::format("the network has {} inputs and {} outputs; one of each was expected",
                                 graph.inputs.size(), graph.outputs.size()));
  if (pictures.empty())
    return bad_input("no pictures to calibrate with", "give 8 to 20 of the kind that will be enlarged");
  const Tensor& input = graph.tensors[size_t(graph.inputs[0])];
  const int64_t wanted = input.shape.size() == 4 ? input.shape[1] : -1;
  for (size_t i = 0; i < pictures.size(); ++i) {
    const Map& map = pictures[i];
    if (map.type != DType::f32 && map.type != DType::u8 && map.type != DType::u16)
      return bad_input(
          fmt::format("calibration picture {} is {}; u8, u16 or f32 was expected", i + 1, name(map.type)));
    if (map.region.h < 1 || map.region.w < 1 || map.region.y != 0 || map.region.x != 0)
      return bad_input(fmt::format("calibration picture {} is empty or a part of a picture", i + 1));
    if (wanted >= 0 && map.channels != wanted)
      return bad_input(
          fmt::format("calibration picture {} has {} channels; the network's input \"{}\" takes {}", i + 1,
                      map.channels, input.name, wanted));
  }
  return {};
}

// What the pictures' bytes mean, if all of them agree.
std::optional<Quant> common_u8_quant(std::span<const Map> pictures) {
  for (const Map& map : pictures)
    if (map.type != DType::u8 || !(map.quant == pictures[0].quant)) return std::nullopt;
  return pictures[0].quant;
}

std::map<std::string, WeightQuant> quantised_weights(const Graph& graph, CalibrationMethod method) {
  std::map<std::string, WeightQuant> all;
  for (const Node& node : graph.nodes) {
    const Conv* conv = node.as<Conv>();
    if (!conv) continue;
    const Constant& weight = graph.constants[size_t(conv->weight)];
    const int channels = int(weight.shape[0]);
    SymmetricWeights q = quantise_weights(weight.values, channels, method == CalibrationMethod::honest);
    std::vector<float> bias(size_t(channels), 0.0f);
    if (conv->bias != kNone) bias = graph.constants[size_t(conv->bias)].values;
    all[node.name] = {std::move(q.scale), std::move(q.values), std::move(bias)};
  }
  return all;
}

// int8 wherever a node has an integer form, f32 elsewhere.
Result<std::vector<const Processor*>> mostly_int8(const Graph& graph, Isa max) {
  auto f32 = find_processor("cpu.f32", max), int8 = find_processor("cpu.int8", max);
  if (!f32) return f32.error();
  if (!int8) return int8.error();
  std::vector<const Processor*> placement;
  for (const Node& node : graph.nodes)
    placement.push_back((*int8)->supports(graph, node).empty() ? *int8 : *f32);
  return placement;
}

class Calibration {
 public:
  Calibration(const Graph& graph, std::span<const Map> pictures, const CalibrateOptions& options,
              ThreadPool& threads, const std::function<void(double)>& progress)
      : graph_(graph), pictures_(pictures), options_(options), threads_(threads), progress_(progress) {
    // Float runs: ranges and, for honest, sums; int8 runs: with and without correction.
    steps_ = double(pictures.size()) * (honest() ? 4 : 2);
  }

  Result<Calib> run(CalibrateReport& report) {
    auto picture = picture_quant(graph_);
    if (!picture) return picture.error();
    auto f32 = find_processor("cpu.f32", options_.max);
    if (!f32) return f32.error();
    Runner runner(graph_, nullptr, everywhere(graph_, *f32), options_.max, threads_);

    Calib calib;
    calib.graph_sha256 = graph_.sha256;
    calib.method = honest() ? "honest" : "naive";
    calib.pictures = digest_of_pictures(pictures_);
    if (auto status = find_grids(runner, *picture, calib); !status) return status.error();
    calib.weights = quantised_weights(graph_, options_.method);

    const Quant grid = picture->value_or(calib.tensors.at(graph_.tensors[size_t(graph_.outputs[0])].name));
    auto plain = distance(calib, grid);
    if (!plain) return plain.error();
    report = {.msef = *plain, .msef_uncorrected = *plain, .bias_corrected = false};
    if (!honest()) return calib;

    Calib corrected = calib;
    if (auto status = correct(runner, corrected); !status) return status.error();
    auto better = distance(corrected, grid);
    if (!better) return better.error();
    if (!(*better < *plain)) return calib;
    report.msef = *better;
    report.bias_corrected = true;
    return corrected;
  }

 private:
  bool honest() const { return options_.method == CalibrationMethod::honest; }

  void step() {
    ++done_;
    if (progress_) progress_(double(done_) / steps_);
  }

  // The first float run: ranges, outputs to compare with.
  Status find_grids(Runner& runner, const std::optional<Quant>& picture, Calib& calib) {
    const std::vector<TensorId> source = sources_of_bytes(graph_);
    std::vector<RangeObserver> seen(graph_.tensors.size());
    const TensorId input = graph_.inputs[0];
    const Observer observer = [&](int node, const Map& out) {
      const TensorId tensor = graph_.nodes[size_t(node)].output;
      if (source[size_t(tensor)] == tensor) observe(out, seen[size_t(tensor)]);
    };
    for (const Map& map : pictures_) {
      observe(as_floats(map).map(), seen[size_t(input)]);
      auto out = runner.run(map, &observer);
      if (!out) return out.error();
      outputs_.push_back(*std::move(out));
      step();
    }
    for (size_t t = 0; t < seen.size(); ++t)
      if (seen[t].saw_nan())
        return bad_input(
            fmt::format("tensor \"{}\" has NaN or infinite values on the calibration pictures",
                        graph_.tensors[t].name),
            "the model or a picture is damaged, or the pictures are not in the model's range (fye.range)");
    std::optional<Quant> in = picture ? picture : common_u8_quant(pictures_);
    if (!in) in = quant_for_range(seen[size_t(input)].min(), seen[size_t(input)].max());
    calib.tensors = choose_grids(graph_, seen, options_.method, *in, picture);
    calib.scale16 = choose_scale16(graph_, seen, calib.tensors);
    return {};
  }

  // The second float run.
  Status correct(Runner& runner, Calib& calib) {
    BiasCorrection correction(graph_, calib);
    const Observer observer = [&](int node, const Map& out) {
      correction.see(graph_.nodes[size_t(node)].output, out);
    };
    for (const Map& map : pictures_) {
      correction.see(graph_.inputs[0], as_floats(map).map());
      auto out = runner.run(map, &observer);
      if (!out) return out.error();
      step();
    }
    calib.weights = correction.corrected();
    return {};
  }

  // Mean msef of int8 over the pictures.
  Result<double> distance(const Calib& calib, const Quant& grid) {
    auto placement = mostly_int8(graph_, options_.max);
    if (!placement) return placement.error();
    Runner runner(graph_, &calib, *std::move(placement), options_.max, threads_);
    double sum = 0;
    for (size_t i = 0; i < pictures_.size(); ++i) {
      auto out = runner.run(pictures_[i]);
      if (!out) return out.error();
      sum += msef(out->map(), outputs_[i].map(), grid);
      step();
    }
    return sum / double(pictures_.size());
  }

  const Graph& graph_;
  std::span<const Map> pictures_;
  const CalibrateOptions& options_;
  ThreadPool& threads_;
  const std::function<void(double)>& progress_;
  double steps_ = 1;
  int done_ = 0;
  std::vector<FloatPicture> outputs_;
};

}  // namespace

Result<Calib> calibrate(const Graph& graph, std::span<const Map> pictures, const CalibrateOptions& options,
                        ThreadPool& threads, const std::function<void(double)>& progress,
                        CalibrateReport* report) {
  if (auto status = check(graph, pictures); !status) return status.error();
  CalibrateReport unasked;
  try {
    return Calibration(graph, pictures, options, threads, progress).run(report ? *report : unasked);
  } catch (const std::bad_alloc&) {
    return resource_error("out of memory while calibrating", "give fewer or smaller pictures");
  }
}

std::string digest_of_pictures(std::span<const Map> pictures) {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](const void* data, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3u;
  };
  for (const Map& map : pictures) {
    const int32_t header[] = {map.region.h, map.region.w, map.channels, int32_t(map.type), map.quant.zero};
    add(header, sizeof header);
    add(&map.quant.scale, sizeof map.quant.scale);
    const size_t pixel = size_t(map.channels) * size_of(map.type);
    for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
      for (int x = map.region.x; x < map.region.x + map.region.w; ++x)
        add(map.origin + (y - map.region.y) * map.row_bytes +
                ptrdiff_t(x - map.region.x) * map.pitch * size_of(map.type),
            pixel);
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace fye
