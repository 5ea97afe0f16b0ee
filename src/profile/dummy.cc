// Tested by profile/dummy_test.cc: the copies compute what the unit computes in its own network, and units of
// equal signature take equal times by construction.
#include "profile/dummy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "graph/builder.h"

namespace fye {
namespace {

constexpr int kInputChannels = 4;  // one 32-bit group of bytes: the cheapest layers there are
constexpr int kReaderChannels = 4;
constexpr int kReaderStride = 8;  // every 64th pixel
// Layers of the first input's own width: with none, float units of ABPN came out 15 % too fast, since what a
// network keeps in flight did not push anything out of the caches; with two the sum is within some percent.
constexpr int kLayersBefore = 2;

struct Size {
  int64_t channels, h, w;
};

Size size_of(const Shape& shape) { return {shape[1], shape[2], shape[3]}; }

// Dummy layers with their integers.
class DummyBuilder {
 public:
  DummyBuilder(const Graph& graph, const Calib* calib, const std::vector<Shape>& shapes)
      : graph_(graph), from_(calib), shapes_(shapes) {}

  // `unit_macs`: of the unit; layers before it that would drown it are left out.
  Status begin(const std::vector<TensorId>& inputs, double unit_macs) {
    low_ = {kInputChannels, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()};
    for (TensorId tensor : inputs) {
      const Shape& shape = shapes_[size_t(tensor)];
      if (shape.size() != 4)
        return bad_input(fmt::format("tensor \"{}\" is no feature map", graph_.tensors[size_t(tensor)].name));
      low_.h = std::min(low_.h, shape[2]);
      low_.w = std::min(low_.w, shape[3]);
    }
    input_ = builder_.input("x", {1, kInputChannels, low_.h, low_.w});
    calib_.tensors["x"] = {1, 0};
    for (TensorId tensor : inputs) {
      const Size size = size_of(shapes_[size_t(tensor)]);
      const std::string name = fmt::format("before{}", before_.size());
      if (size.h % low_.h || size.w % low_.w)
        return bad_input(fmt::format("tensor \"{}\" is no whole multiple of {}x{}",
                                     graph_.tensors[size_t(tensor)].name, low_.w, low_.h));
      TensorId made = convolution(name, input_, kInputChannels, size.channels, 3, 1, tensor);
      if (size.h != low_.h || size.w != low_.w) {
        made =
            builder_.node(name + ".enlarged",
                          Resize{.factor_h = int(size.h / low_.h), .factor_w = int(size.w / low_.w)}, {made});
        set_quant(name + ".enlarged", tensor);
      }
      constexpr double kTaps = 9;
      const double layer_macs =
          kTaps * double(size.channels) * double(size.channels) * double(low_.h) * double(low_.w);
      const int layers =
          int(std::min(double(kLayersBefore), std::round(kLayersBefore * unit_macs / layer_macs)));
      for (int k = 0; before_.empty() && k < layers; ++k)
        made = convolution(fmt::format("{}.{}", name, k), made, size.channels, size.channels, 3, 1, tensor);
      before_.push_back(made);
      local_[tensor] = made;
    }
    return {};
  }

  // One copy of the unit, and a reader for each of `outputs`.
  Status add_copy(const Unit& unit, int copy, const std::vector<TensorId>& outputs) {
    std::map<TensorId, TensorId> made = local_;
    for (int index : unit.nodes) {
      const Node& node = graph_.nodes[size_t(index)];
      std::vector<TensorId> inputs;
      for (TensorId tensor : node.inputs) inputs.push_back(made.at(tensor));
      const std::string name = fmt::format("copy{}.{}", copy, node.name);
      made[node.output] = builder_.node(name, with_constants(node.op), inputs);
      set_quant(name, node.output);
      if (from_)
        if (const auto weights = from_->weights.find(node.name); weights != from_->weights.end())
          calib_.weights[name] = weights->second;
    }
    for (TensorId tensor : outputs)
      if (auto status = read(made.at(tensor)); !status) return status;
    return {};
  }

  // Looks at every 64th pixel (of the lowest size) of a tensor.
  Status read(TensorId tensor) {
    const Shape& shape = builder_.shape(tensor);
    const int64_t stride_h = std::max<int64_t>(1, kReaderStride * shape[2] / low_.h),
                  stride_w = std::max<int64_t>(1, kReaderStride * shape[3] / low_.w);
    const auto read = [](int64_t length, int64_t stride) { return (length + stride - 1) / stride; };
    if (read(shape[2], stride_h) != read(low_.h, kReaderStride) ||
        read(shape[3], stride_w) != read(low_.w, kReaderStride))
      return bad_input(fmt::format("a map of {}x{} can't be read at the rate of {}x{}", shape[3], shape[2],
                                   low_.w, low_.h));
    readers_.push_back(convolution(fmt::format("after{}", readers_.size()), tensor, shape[1], kReaderChannels,
                                   1, int(stride_h), kNone, int(stride_w)));
    return {};
  }

  TensorId before(size_t i) const { return before_[i]; }

  DummyNet finish() {
    const TensorId out = builder_.node("out", Concat{}, readers_);
    calib_.tensors["out"] = kReaderQuant;
    return {builder_.finish({out}), std::move(calib_), int(low_.h), int(low_.w)};
  }

 private:
  static constexpr Quant kReaderQuant = {1, 128};

  // `like`: the tensor whose grid the output takes; kNone: that of readers.
  TensorId convolution(const std::string& name, TensorId in, int64_t in_channels, int64_t channels,
                       int kernel, int stride_h, TensorId like, int stride_w = 0) {
    Conv conv{.kernel_h = kernel,
              .kernel_w = kernel,
              .stride_h = stride_h,
              .stride_w = stride_w ? stride_w : stride_h};
    conv.pad_top = conv.pad_left = conv.pad_bottom = conv.pad_right = kernel / 2;
    const Shape shape{channels, in_channels, kernel, kernel};
    WeightQuant quant{std::vector<float>(size_t(channels), 0.01f), {}, std::vector<float>(size_t(channels))};
    std::vector<float> values;
    for (int64_t i = 0; i < element_count(shape); ++i) {
      quant.values.push_back(int8_t(int(random_() % 31) - 15));
      values.push_back(0.01f * float(quant.values.back()));
    }
    conv.weight = builder_.constant(shape, values);
    conv.bias = builder_.constant({channels}, quant.bias);
    calib_.weights[name] = std::move(quant);
    if (like == kNone)
      calib_.tensors[name] = kReaderQuant;
    else
      set_quant(name, like);
    return builder_.node(name, conv, {in});
  }

  void set_quant(const std::string& name, TensorId like) {
    if (!from_) return;
    const auto found = from_->tensors.find(graph_.tensors[size_t(like)].name);
    if (found != from_->tensors.end()) calib_.tensors[name] = found->second;
  }

  // The op with its constants moved into this graph.
  Attributes with_constants(Attributes op) {
    std::visit(
        [&](auto& attributes) {
          if constexpr (requires { attributes.weight; }) attributes.weight = moved(attributes.weight);
          if constexpr (requires { attributes.bias; }) attributes.bias = moved(attributes.bias);
          if constexpr (requires { attributes.constant; }) attributes.constant = moved(attributes.constant);
        },
        op);
    return op;
  }
  ConstantId moved(ConstantId id) {
    if (id == kNone) return kNone;
    const auto found = constants_.find(id);
    if (found != constants_.end()) return found->second;
    const Constant& constant = graph_.constants[size_t(id)];
    return constants_[id] = builder_.constant(constant.shape, constant.values);
  }

  const Graph& graph_;
  const Calib* from_;
  const std::vector<Shape>& shapes_;
  GraphBuilder builder_;
  Calib calib_;
  Size low_{};
  TensorId input_ = kNone;
  std::vector<TensorId> before_, readers_;
  std::map<TensorId, TensorId> local_;
  std::map<ConstantId, ConstantId> constants_;
  std::minstd_rand random_{1};
};

// Products of a unit's convolutions.
double macs_of_unit(const Graph& graph, const Unit& unit, const std::vector<Shape>& shapes) {
  double macs = 0;
  for (const int index : unit.nodes) {
    const Node& node = graph.nodes[size_t(index)];
    if (const Conv* conv = node.as<Conv>()) {
      const Shape& weight = graph.constants[size_t(conv->weight)].shape;
      macs += double(element_count(shapes[size_t(node.output)])) * double(weight[1] * weight[2] * weight[3]);
    }
  }
  return macs;
}

void add_once(std::vector<TensorId>& list, TensorId tensor) {
  if (std::find(list.begin(), list.end(), tensor) == list.end()) list.push_back(tensor);
}

bool is_in(const Unit& unit, int node) {
  return std::find(unit.nodes.begin(), unit.nodes.end(), node) != unit.nodes.end();
}

std::string text_of(const Activation& act) {
  return fmt::format("{}/{}", int(act.kind), act.slope.size() > 1 ? 2 : act.slope.size());
}

// Everything about an op that its time depends on.
std::string text_of(const Node& node) {
  std::string text(op_name(node));
  if (const Conv* c = node.as<Conv>())
    text += fmt::format(" k{}x{} s{}x{} d{}x{} p{},{} g{} r{} a{} b{}", c->kernel_h, c->kernel_w, c->stride_h,
                        c->stride_w, c->dilation_h, c->dilation_w, c->pad_top, c->pad_left, c->group,
                        c->residual_repeat, text_of(c->act), text_of(c->post));
  if (const ConvTranspose* c = node.as<ConvTranspose>())
    text += fmt::format(" k{}x{} s{}x{} g{}", c->kernel_h, c->kernel_w, c->stride_h, c->stride_w, c->group);
  if (const Elementwise* e = node.as<Elementwise>()) text += " " + text_of(e->act);
  if (const Binary* b = node.as<Binary>()) text += fmt::format(" {} {}", int(b->kind), b->constant != kNone);
  if (const DepthToSpace* d = node.as<DepthToSpace>()) text += fmt::format(" {} {}", d->block, d->crd);
  if (const Resize* r = node.as<Resize>())
    text += fmt::format(" {} {}x{}", int(r->kind), r->factor_h, r->factor_w);
  if (const Pool* p = node.as<Pool>())
    text +=
        fmt::format(" {} k{}x{} s{}x{}", int(p->kind), p->kernel_h, p->kernel_w, p->stride_h, p->stride_w);
  return text;
}

}  // namespace

std::vector<TensorId> tensors_into(const Graph& graph, const Unit& unit) {
  std::vector<TensorId> tensors;
  for (int index : unit.nodes)
    for (TensorId tensor : graph.nodes[size_t(index)].inputs)
      if (const int writer = graph.producer(tensor); writer == kNone || !is_in(unit, writer))
        add_once(tensors, tensor);
  return tensors;
}

std::vector<TensorId> tensors_out_of(const Graph& graph, const Unit& unit) {
  std::vector<TensorId> tensors;
  for (int index : unit.nodes) {
    const TensorId tensor = graph.nodes[size_t(index)].output;
    const auto readers = graph.consumers(tensor);
    if (graph.is_output(tensor) ||
        std::any_of(readers.begin(), readers.end(), [&](int reader) { return !is_in(unit, reader); }))
      add_once(tensors, tensor);
  }
  return tensors;
}

Result<DummyNet> dummy_net(const Graph& graph, const Calib* calib, const Unit& unit,
                           const std::vector<Shape>& shapes, int copies, int readers) {
  const std::vector<TensorId> inputs = tensors_into(graph, unit), outputs = tensors_out_of(graph, unit);
  DummyBuilder net(graph, calib, shapes);
  if (auto status = net.begin(inputs, macs_of_unit(graph, unit, shapes)); !status) return status.error();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (auto status = net.read(net.before(i)); !status) return status.error();
  for (int copy = 0; copy < copies; ++copy)
    if (auto status = net.add_copy(unit, copy, outputs); !status) return status.error();
  for (size_t i = size_t(copies) * outputs.size(); i < size_t(readers) * outputs.size(); ++i)
    if (auto status = net.read(net.before(0)); !status) return status.error();
  return net.finish();
}

Result<std::string> signature_of(const Graph& graph, const Calib* calib, const Unit& unit,
                                 const std::vector<Shape>& shapes, const Processor& processor) {
  Segment segment{
      .graph = &graph, .calib = calib, .nodes = {}, .inputs = {}, .outputs = {}, .shapes = shapes};
  std::string text;
  for (int index : unit.nodes) {
    const Node& node = graph.nodes[size_t(index)];
    text += text_of(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto reads = processor.reads(graph, calib, index, int(i));
      if (!reads) return reads.error();
      // By the place that wrote it, so that inner and outer tensors are told apart.
      const int writer = graph.producer(node.inputs[i]);
      const auto inner = std::find(unit.nodes.begin(), unit.nodes.end(), writer);
      text += fmt::format(" <{} {} {}", inner == unit.nodes.end() ? -1 : inner - unit.nodes.begin(),
                          name(reads->type), fmt::join(shapes[size_t(node.inputs[i])], "x"));
    }
    const auto writes = processor.writes(graph, calib, index);
    if (!writes) return writes.error();
    text += fmt::format(" >{} {};", name(writes->type), fmt::join(shapes[size_t(node.output)], "x"));
    segment.nodes = {index};
    segment.inputs = {};
    for (TensorId tensor : node.inputs) add_once(segment.inputs, tensor);
    segment.outputs = {node.output};
    const auto runnable = processor.prepare(segment);
    if (!runnable) return runnable.error();
    // "NAME OP VARIANT": the name is of no matter, the kernel may depend on the weights.
    for (const std::string& line : (*runnable)->explain()) {
      const size_t space = line.find(' ');
      text += space == std::string::npos ? "" : line.substr(space);
    }
    text += "\n";
  }
  return text;
}

}  // namespace fye
