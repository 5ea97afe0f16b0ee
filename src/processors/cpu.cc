// A CPU segment is a list of kernels over maps in one arena. Each node's rows are split over the threads; the
// arena is planned for the regions at hand, so that a tile takes a tile's memory. Tested by
// execute/plain_test.cc.
#include "processors/cpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graph/trunk.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/winograd.h"
#include "kernels/convert/convert.h"
#include "kernels/node_kernel.h"
#include "processors/arena.h"
#include "processors/segment_maps.h"
#include "processors/split_rows.h"

namespace fye {
namespace {

// Ranges a thread takes off a node's rows: a few for each thread, so that one that is held up does not hold
// up all.
constexpr int kRangesPerThread = 6;

struct Step {
  int node;
  std::unique_ptr<Kernel> kernel;
};

// Where a segment's tensor lives during a run.
enum class Home : uint8_t { none, input, output, arena };

class CpuSegment final : public Runnable {
 public:
  CpuSegment(Segment segment, std::vector<Format> formats, std::vector<Step> steps, Isa max)
      : segment_(std::move(segment)), formats_(std::move(formats)), steps_(std::move(steps)), max_(max) {
    const Graph& graph = *segment_.graph;
    home_.resize(graph.tensors.size(), Home::none);
    slot_.resize(graph.tensors.size(), 0);
    margin_.resize(graph.tensors.size(), 0);
    std::vector<bool> read(graph.tensors.size());
    for (const Step& step : steps_) {
      const Node& node = graph.nodes[size_t(step.node)];
      home_[size_t(node.output)] = Home::arena;
      for (TensorId input : node.inputs) read[size_t(input)] = true;
      margin_[size_t(node.inputs[0])] = std::max(margin_[size_t(node.inputs[0])], margin_of(node));
    }
    for (size_t i = 0; i < segment_.inputs.size(); ++i) assign(segment_.inputs[i], Home::input, i);
    // An output that is read inside too keeps a map of its own (with margins) and is copied out at the end.
    for (size_t i = 0; i < segment_.outputs.size(); ++i)
      if (read[size_t(segment_.outputs[i])])
        copied_.push_back(i);
      else
        assign(segment_.outputs[i], Home::output, i);
  }

  std::vector<Region> input_regions(std::span<const Region> outputs) const override {
    const std::vector<Region> demand = propagate_(outputs);
    std::vector<Region> regions;
    for (TensorId input : segment_.inputs) regions.push_back(demand[size_t(input)]);
    return regions;
  }

  std::vector<int> input_margins() const override {
    std::vector<int> margins;
    for (TensorId input : segment_.inputs) margins.push_back(margin_[size_t(input)]);
    return margins;
  }

  size_t scratch_bytes(std::span<const Region> outputs) const override {
    return plan(propagate_(outputs)).bytes;
  }

  void run(std::span<const Map> in, std::span<const Map> out, std::byte* scratch, ThreadPool& threads,
           const Observer* observer) const override {
    const Graph& graph = *segment_.graph;
    std::vector<Region> outputs;
    for (const Map& map : out) outputs.push_back(map.region);
    const std::vector<Region> demand = propagate_(outputs);
    const ArenaPlan arena = plan(demand);

    std::vector<Map> maps(graph.tensors.size());
    for (size_t i = 0; i < segment_.inputs.size(); ++i) maps[size_t(segment_.inputs[i])] = in[i];
    for (size_t s = 0; s < steps_.size(); ++s) {
      const TensorId tensor = graph.nodes[size_t(steps_[s].node)].output;
      maps[size_t(tensor)] = home_[size_t(tensor)] == Home::output
                                 ? out[slot_[size_t(tensor)]]
                                 : place_map(layout(tensor, demand), scratch + arena.offset[s]);
    }
    std::vector<Map> inputs;
    for (const Step& step : steps_) {
      const Node& node = graph.nodes[size_t(step.node)];
      const Map& target = maps[size_t(node.output)];
      inputs.clear();
      for (TensorId input : node.inputs) inputs.push_back(maps[size_t(input)]);
      share(target, step.kernel->grain(), threads,
            [&](int y0, int y1) { step.kernel->rows(inputs, target, y0, y1); });
      if (home_[size_t(node.output)] == Home::arena && margin_[size_t(node.output)] > 0) {
        const MapSize size = map_size(segment_.shapes[size_t(node.output)]);
        fill_margin(target, size.height, size.width);
      }
      if (observer) (*observer)(step.node, target);
    }
    for (size_t i : copied_)
      share(out[i], {}, threads,
            [&](int y0, int y1) { convert_rows(maps[size_t(segment_.outputs[i])], out[i], y0, y1, max_); });
  }

  std::vector<NodeKernel> kernels() const override {
    std::vector<NodeKernel> all;
    for (const Step& step : steps_) {
      const TensorId output = segment_.graph->nodes[size_t(step.node)].output;
      all.push_back({step.node, step.kernel.get(), formats_[size_t(output)]});
    }
    return all;
  }

  std::vector<std::string> explain() const override {
    std::vector<std::string> lines;
    for (const Step& step : steps_) {
      const Node& node = segment_.graph->nodes[size_t(step.node)];
      lines.push_back(fmt::format("{} {} {}", node.name, op_name(node), step.kernel->variant()));
    }
    return lines;
  }

 private:
  void assign(TensorId tensor, Home home, size_t slot) {
    home_[size_t(tensor)] = home;
    slot_[size_t(tensor)] = slot;
  }

  std::vector<Region> propagate_(std::span<const Region> outputs) const {
    std::vector<Grain> grains;
    for (const Step& step : steps_) grains.push_back(step.kernel->grain());
    return propagate(*segment_.graph, segment_.nodes, grains, segment_.outputs, outputs, segment_.shapes);
  }

  Map layout(TensorId tensor, const std::vector<Region>& demand) const {
    return map_layout(formats_[size_t(tensor)], demand[size_t(tensor)], margin_[size_t(tensor)]);
  }

  // One lifetime a step: that of its output.
  ArenaPlan plan(const std::vector<Region>& demand) const {
    const Graph& graph = *segment_.graph;
    std::vector<Lifetime> lifetimes(steps_.size());
    std::vector<int> writer(graph.tensors.size(), -1);
    const int end = int(steps_.size());
    for (int s = 0; s < end; ++s) {
      const Node& node = graph.nodes[size_t(steps_[size_t(s)].node)];
      writer[size_t(node.output)] = s;
      const bool own = home_[size_t(node.output)] == Home::arena;
      lifetimes[size_t(s)] = {own ? map_bytes(layout(node.output, demand)) : 0, s, s};
      for (TensorId input : node.inputs)
        if (const int w = writer[size_t(input)]; w >= 0) lifetimes[size_t(w)].last = s;
    }
    for (size_t i : copied_) lifetimes[size_t(writer[size_t(segment_.outputs[i])])].last = end;
    return plan_arena(lifetimes);
  }

  template <class Body>
  static void share(const Map& target, const Grain& grain, ThreadPool& threads, const Body& body) {
    const Region& r = target.region;
    split_rows(r.y, r.y + r.h, grain, kRangesPerThread, threads, body);
  }

  Segment segment_;
  std::vector<Format> formats_;
  std::vector<Step> steps_;
  Isa max_;
  std::vector<Home> home_;
  std::vector<size_t> slot_;
  std::vector<int> margin_;
  std::vector<size_t> copied_;
};

// M and the residual factor follow from these in the kernel; here the integers are made.
Status quantise(ConvProblem& problem, const Node& node, const Calib* calib) {
  const auto found = calib ? calib->weights.find(node.name) : decltype(calib->weights.end()){};
  if (!calib || found == calib->weights.end())
    return bad_input(fmt::format("node \"{}\": no int8 weights in the calibration", node.name),
                     "run fye calibrate on this model again");
  const WeightQuant& weights = found->second;
  const size_t channels = size_t(problem.out_channels);
  if (weights.values.size() != problem.weight.size() || weights.scale.size() != channels ||
      weights.bias.size() != channels)
    return bad_input(
        fmt::format("node \"{}\": the calibration's weights have another shape than the model's", node.name),
        "run fye calibrate on this model again");
  problem.weight_q = weights.values;
  problem.weight_scale = weights.scale;
  for (size_t c = 0; c < channels; ++c) {
    // Half to even, kept inside s32 with room for the sum of products.
    constexpr double kLimit = 1 << 30;
    const double q = std::nearbyint(double(weights.bias[c]) / (double(problem.in.scale) * weights.scale[c]));
    problem.bias_q.push_back(int32_t(std::clamp(q, -kLimit, kLimit)));
  }
  return {};
}

// How the nodes of a graph store and want their tensors in one number format.
class Forms {
 public:
  Forms(std::string_view processor, Numbers numbers, const Graph& graph, const Calib* calib)
      : processor_(processor), numbers_(numbers), graph_(graph), calib_(calib) {
    if (numbers != Numbers::int8r16 || !calib) return;
    trunks_ = find_trunks(graph, calib->tensors);
    scale16_ = trunk_scales(graph, *calib, trunks_);
  }

  Result<Stored> writes(int node) const {
    const TensorId out = graph_.nodes[size_t(node)].output;
    return is_wide(out) ? Stored{DType::s16, {scale16_[size_t(out)], 0}} : narrow(out);
  }

  // A wide add reads what it adds in its own form, whatever that is stored as; convolutions read u8.
  Result<Stored> reads(int node, int slot) const {
    const Node& its = graph_.nodes[size_t(node)];
    const bool sums = slot > 0 || !its.as<Conv>();
    return sums && is_wide(its.output) ? writes(node) : narrow(its.inputs[size_t(slot)]);
  }

 private:
  bool is_wide(TensorId tensor) const { return !trunks_.wide.empty() && trunks_.wide[size_t(tensor)]; }

  Result<Stored> narrow(TensorId tensor) const {
    if (storage(numbers_) != DType::u8) return Stored{storage(numbers_), {}};
    const std::string& wanted = graph_.tensors[size_t(tensor)].name;
    if (!calib_)
      return bad_input(fmt::format("{} needs a calibration, and this model has none", processor_),
                       "run fye calibrate MODEL PICTURES...");
    const auto found = calib_->tensors.find(wanted);
    if (found == calib_->tensors.end())
      return bad_input(fmt::format("the calibration has no range for tensor \"{}\"", wanted),
                       "run fye calibrate on this model again");
    return Stored{DType::u8, found->second};
  }

  std::string_view processor_;
  Numbers numbers_;
  const Graph& graph_;
  const Calib* calib_;
  Trunks trunks_;
  std::vector<float> scale16_;
};

class Cpu final : public Processor {
 public:
  Cpu(Numbers numbers, Isa max)
      : numbers_(numbers), max_(max), name_(fmt::format("cpu.{}", fye::name(numbers))) {}

  std::string_view name() const override { return name_; }
  Numbers numbers() const override { return numbers_; }

  Result<Stored> writes(const Graph& graph, const Calib* calib, int node) const override {
    return forms(graph, calib).writes(node);
  }
  Result<Stored> reads(const Graph& graph, const Calib* calib, int node, int slot) const override {
    return forms(graph, calib).reads(node, slot);
  }
  std::string supports(const Graph&, const Node& node) const override {
    if (storage(numbers_) != DType::u8) return {};
    if (node.as<Gemm>() || node.as<Softmax>() || node.as<GlobalAveragePool>() || node.as<ConvTranspose>() ||
        node.as<Reshape>())
      return fmt::format("{} has no integer form yet", op_name(node));
    if (const Binary* binary = node.as<Binary>())
      if (binary->kind == Binary::Kind::mul || binary->kind == Binary::Kind::div)
        return "products and quotients of two tensors have no integer form yet";
    return {};
  }

  Result<std::unique_ptr<Runnable>> prepare(const Segment& segment) const override {
    const Graph& graph = *segment.graph;
    std::vector<Format> formats(graph.tensors.size());
    auto format = [&](TensorId tensor, const Result<Stored>& form) -> Status {
      if (!form) return form.error();
      formats[size_t(tensor)] = {form->type, form->quant, map_size(segment.shapes[size_t(tensor)]).channels};
      return {};
    };
    const Forms its = forms(graph, segment.calib);
    std::vector<Step> steps;
    const std::vector<int> rows = grain_rows(graph, kWinogradTile);
    for (int index : segment.nodes) {
      const Node& node = graph.nodes[size_t(index)];
      if (std::string why = supports(graph, node); !why.empty())
        return bad_input(fmt::format("{} can't run node \"{}\": {}", name_, node.name, why));
      std::vector<Format> inputs;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const TensorId input = node.inputs[i];
        if (auto status = format(input, its.reads(index, int(i))); !status) return status.error();
        inputs.push_back(formats[size_t(input)]);
      }
      if (auto status = format(node.output, its.writes(index)); !status) return status.error();
      const Conv* conv = node.as<Conv>();
      auto kernel = conv ? prepare_convolution(graph, node, *conv, inputs, formats[size_t(node.output)],
                                               segment.calib, rows[size_t(node.output)])
                         : prepare_node(graph, node, inputs, formats[size_t(node.output)], max_);
      if (!kernel) return kernel.error();
      steps.push_back({index, *std::move(kernel)});
    }
    return std::unique_ptr<Runnable>(
        std::make_unique<CpuSegment>(segment, std::move(formats), std::move(steps), max_));
  }

 private:
  Forms forms(const Graph& graph, const Calib* calib) const { return {name_, numbers_, graph, calib}; }

  Result<std::unique_ptr<Kernel>> prepare_convolution(const Graph& graph, const Node& node, const Conv& conv,
                                                      std::span<const Format> inputs, const Format& out,
                                                      const Calib* calib, int grain_row) const {
    ConvProblem problem{.kernel_h = conv.kernel_h,
                        .kernel_w = conv.kernel_w,
                        .stride_h = conv.stride_h,
                        .stride_w = conv.stride_w,
                        .dilation_h = conv.dilation_h,
                        .dilation_w = conv.dilation_w,
                        .pad_top = conv.pad_top,
                        .pad_left = conv.pad_left,
                        .group = conv.group,
                        .grain_row = grain_row,
                        .in_channels = inputs[0].channels,
                        .out_channels = out.channels,
                        .residual = inputs.size() > 1,
                        .residual_repeat = conv.residual_repeat,
                        .act = conv.act,
                        .post = conv.post,
                        .weight = graph.constants[size_t(conv.weight)].values};
    if (conv.bias != kNone)
      problem.bias = graph.constants[size_t(conv.bias)].values;
    else
      problem.bias.assign(size_t(out.channels), 0.f);
    const bool whole = storage(numbers_) == DType::u8;
    if (whole) {
      problem.in = inputs[0].quant;
      problem.out = out.quant;
      problem.wide = out.type == DType::s16;
      if (problem.residual) problem.res = inputs[1].quant;
      if (auto status = quantise(problem, node, calib); !status) return status.error();
    }
    auto kernel = prepare_conv(problem, whole ? Numbers::int8 : numbers_, max_);
    if (!kernel)
      return bad_input(fmt::format("node \"{}\": {}", node.name, kernel.error().what), kernel.error().hint);
    return kernel;
  }

  Numbers numbers_;
  Isa max_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Processor> make_cpu(Numbers numbers, Isa max) { return std::make_unique<Cpu>(numbers, max); }

}  // namespace fye
