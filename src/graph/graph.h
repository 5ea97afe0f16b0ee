// Graph: a network as data - tensors, nodes in execution order, constants - and what every op needs to know.
//
// Ids are indices into Graph's vectors. A node has one output. Nodes are sorted: a node's inputs are graph inputs or outputs
// of earlier nodes. Fused convolutions (passes/) carry their activation, residual add and clip as attributes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "graph/tensor.h"

namespace fye {

using TensorId = int;
using ConstantId = int;
inline constexpr int kNone = -1;

// An element-wise function. `slope` has one value (leaky) or one a channel (prelu).
struct Activation {
  enum class Kind : uint8_t { none, relu, leaky_relu, prelu, clip, tanh, sigmoid };
  Kind kind = Kind::none;
  std::vector<float> slope;
  float lo = 0, hi = 0;  // clip; may be infinite
  bool operator==(const Activation&) const = default;
};

// y = post(act(conv(x) + bias) + residual). The residual (node input 1) is there after fuse_residual; its channel c is
// c % (channels / residual_repeat), so ABPN's anchor is the input itself with residual_repeat 9. act is none if there is one.
struct Conv {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0, group = 1;
  ConstantId weight = kNone, bias = kNone;
  Activation act, post;
  int residual_repeat = 1;
};
// ONNX ConvTranspose; weight [in, out / group, kh, kw].
struct ConvTranspose {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0, output_pad_h = 0, output_pad_w = 0, group = 1;
  ConstantId weight = kNone, bias = kNone;
};
struct Elementwise {
  Activation act;
};
// Two tensors, or one tensor and a constant (then `constant` is set and broadcasts by ONNX rules).
struct Binary {
  enum class Kind : uint8_t { add, sub, mul, div };
  Kind kind = Kind::add;
  ConstantId constant = kNone;
  bool constant_first = false;  // constant op tensor
};
struct Concat {
  int axis = 1;
};
// Channel order DCR (TensorFlow: (dy * r + dx) * c_out + c) or CRD (PyTorch: c * r * r + dy * r + dx).
struct DepthToSpace {
  int block = 2;
  bool crd = false;
};
struct Resize {
  enum class Kind : uint8_t { nearest, bicubic };  // nearest: asymmetric, floor; bicubic: half_pixel, a = -0.75 or -0.5
  Kind kind = Kind::nearest;
  int factor_h = 2, factor_w = 2;  // whole factors only
  float cubic_a = -0.75f;
};
struct Pool {
  enum class Kind : uint8_t { max, average };
  Kind kind = Kind::max;
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool ceil_mode = false, count_include_pad = false;
  int dilation_h = 1, dilation_w = 1;
};
struct GlobalAveragePool {};
// y = alpha * A' * B' + beta * C with constant B (and C).
struct Gemm {
  ConstantId weight = kNone, bias = kNone;
  bool trans_a = false, trans_b = false;
  float alpha = 1, beta = 1;
};
struct Reshape {
  Shape target;  // as ONNX: 0 copies, -1 infers; empty means flatten at `axis`
  int axis = 1;
};
struct Softmax {
  int axis = -1;
};
// Per-channel y = x * scale + shift: batch normalisation and mean shifts (constants of one value a channel).
struct Affine {
  std::vector<float> scale, shift;
};

using Attributes = std::variant<Conv, ConvTranspose, Elementwise, Binary, Concat, DepthToSpace, Resize, Pool,
                                GlobalAveragePool, Gemm, Reshape, Softmax, Affine>;

struct Node {
  std::string name;
  std::vector<TensorId> inputs;
  TensorId output = kNone;
  Attributes op;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&op);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&op);
  }
};

// "conv", "depth_to_space", ...
std::string_view op_name(const Node& node);

// True if the op looks at the whole picture, so that tiles are impossible.
bool is_global(const Node& node);

struct Tensor {
  std::string name;
  Shape shape;  // as declared; -1 where free
};

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<Constant> constants;
  std::vector<TensorId> inputs, outputs;
  std::map<std::string, std::string> metadata;  // ONNX metadata_props, "fye.scale" and the like (design.md, section 3)
  std::string sha256;                           // of the model file's bytes, hex; empty if made in memory

  // The node that writes `tensor`, or kNone for a graph input.
  int producer(TensorId tensor) const;
  // Indices of the nodes that read `tensor`, in order, each once.
  std::vector<int> consumers(TensorId tensor) const;
  bool is_output(TensorId tensor) const;
};

// Checks ids, order, arity, constant shapes and attribute ranges; names the node. Graphs from outside are checked once, at
// import; rewrites keep the property.
Status validate(const Graph& graph);

// The part of it that concerns one node's arity, constants and attributes.
Status validate_node(const Graph& graph, const Node& node);

// One line a node, for dumps and tests.
std::string to_text(const Graph& graph);

// Every tensor's shape for these input shapes, in tensor order. Errors name the node and the shapes; element counts are
// bounded (2^40 a tensor).
Result<std::vector<Shape>> infer_shapes(const Graph& graph, const std::vector<Shape>& inputs);

}  // namespace fye
