// Conv and ConvTranspose: 2-D, weights and bias constant, auto_pad and output_shape turned into numbers.
#include <fmt/format.h>

#include "graph/shapes.h"
#include "import/op_table.h"
#include "import/window.h"

namespace fye {
namespace {

// Input 1: four dimensions, none of them 0, small enough for kernel attributes.
Shape weight_shape(NodeReader& node) {
  node.floats(1);
  const Shape shape = node.value(1).shape;
  if (node.ok() && shape.size() != 4)
    node.fail(fmt::format("weight {} has {} dimensions; fye knows 2-D convolutions (4)", to_text(shape),
                          shape.size()));
  if (node.ok() && (element_count(shape) == 0 || shape[2] > kMaxAttribute || shape[3] > kMaxAttribute))
    node.fail(fmt::format("weight {} is empty or too large a kernel", to_text(shape)));
  return node.ok() ? shape : Shape{1, 1, 1, 1};
}

Window convolution_window(NodeReader& node, const Shape& weight) {
  const std::vector<int> kernel{static_cast<int>(weight[2]), static_cast<int>(weight[3])};
  const Window window = read_window(node, kernel);
  if (window.kernel != kernel)
    node.fail(fmt::format("kernel_shape {}x{} does not fit weight {}", window.kernel[0], window.kernel[1],
                          to_text(weight)));
  return window;
}

template <class Op>
void read_weights(NodeReader& node, Op& op, const Shape& weight) {
  op.weight = node.constant(weight, node.floats(1));
  if (node.has(2)) op.bias = node.constant(node.value(2).shape, node.floats(2));
}

}  // namespace

void read_conv(NodeReader& node) {
  Conv op;
  const Shape weight = weight_shape(node);
  convolution_window(node, weight).write(op);
  op.group = node.small_attribute("group", 1);
  read_weights(node, op, weight);
  node.integer_weights(1, 0, weight[0]);
  node.emit(op, {node.tensor(0)});
}

void read_conv_transpose(NodeReader& node) {
  ConvTranspose op;
  const Shape weight = weight_shape(node);
  const std::string mode = node.string_attribute("auto_pad", "NOTSET");
  Window window = convolution_window(node, weight);
  op.group = node.small_attribute("group", 1);
  std::vector<int> extra = node.small_attributes("output_padding", {0, 0});

  // ONNX ConvTranspose: total padding = stride * (in - 1) + output_padding + span - out, where SAME means out
  // = in * stride. What is negative makes the output larger at its end. Ends other than SAME_UPPER put the
  // odd pixel first.
  const bool same = mode.starts_with("SAME");
  const auto wanted = node.ints_attribute("output_shape", {});
  const Shape map = node.shape(0);
  if (!wanted.empty() && wanted.size() != 2) node.fail("output_shape needs height and width");
  for (int axis = 0; axis < 2 && node.ok() && (same || !wanted.empty()); ++axis) {
    const int64_t stride = window.stride[axis];
    int64_t total = extra[axis] + window.span(axis) - stride;
    if (!wanted.empty()) {
      if (map[axis + 2] < 0) return node.fail("output_shape needs an input of declared size");
      if (wanted[axis] < 1 || wanted[axis] > kMaxElements) return node.fail("output_shape is out of range");
      total += stride * map[axis + 2] - wanted[axis];
    }
    if (total < -kMaxAttribute || total > kMaxAttribute)
      return node.fail(fmt::format("output_shape needs a padding of {}", total));
    const Ends ends = split_padding(static_cast<int>(std::max<int64_t>(total, 0)), mode != "SAME_UPPER");
    if (total < 0) extra[axis] -= static_cast<int>(total);
    window.pads[axis] = ends.begin;
    window.pads[axis + 2] = ends.end;
  }
  window.write(op);
  op.output_pad_h = extra[0];
  op.output_pad_w = extra[1];
  read_weights(node, op, weight);
  node.emit(op, {node.tensor(0)});
}

}  // namespace fye
