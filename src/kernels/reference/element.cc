// Activations, affine, binary with ONNX (numpy) broadcasting, softmax over any axis.
#include <algorithm>
#include <cmath>

#include "kernels/reference/ops.h"

namespace fye {
namespace {

// The channel (dimension 1) of flat element k.
int64_t channel_of(const Shape& shape, size_t k) {
  if (shape.size() < 2) return 0;
  const int64_t inner = element_count({shape.begin() + 2, shape.end()});
  return int64_t(k) / inner % shape[1];
}

double combine(Binary::Kind kind, double a, double b) {
  switch (kind) {
    case Binary::Kind::add:
      return a + b;
    case Binary::Kind::sub:
      return a - b;
    case Binary::Kind::mul:
      return a * b;
    case Binary::Kind::div:
      return a / b;
  }
  return 0;
}

// The element of an operand that broadcasts to `shape`, for the output element of flat index k.
float broadcast_at(const Shape& operand, const std::vector<float>& values, const Shape& shape, size_t k) {
  int64_t at = 0, step = 1, rest = int64_t(k);
  for (size_t i = 0; i < shape.size(); ++i) {  // from the last dimension to the first
    const int64_t index = rest % shape[shape.size() - 1 - i];
    rest /= shape[shape.size() - 1 - i];
    if (i >= operand.size()) continue;
    const int64_t size = operand[operand.size() - 1 - i];
    if (size > 1) at += index * step;
    step *= size;
  }
  return values[size_t(at)];
}

}  // namespace

double activate(const Activation& act, double v, int64_t c) {
  switch (act.kind) {
    case Activation::Kind::none:
      return v;
    case Activation::Kind::relu:
      return v < 0 ? 0 : v;
    case Activation::Kind::leaky_relu:
      return v < 0 ? v * act.slope[0] : v;
    case Activation::Kind::prelu:
      return v < 0 ? v * act.slope[size_t(c)] : v;
    case Activation::Kind::clip:
      v = v < act.lo ? act.lo : v;
      return v > act.hi ? act.hi : v;
    case Activation::Kind::tanh:
      return std::tanh(v);
    case Activation::Kind::sigmoid:
      return 1 / (1 + std::exp(-v));
  }
  return v;
}

Result<Dense> reference_elementwise(const ReferenceCall& call, const Elementwise& op) {
  Dense y = call.in[0];
  for (size_t k = 0; k < y.values.size(); ++k)
    y.values[k] = float(activate(op.act, y.values[k], channel_of(y.shape, k)));
  return y;
}

Result<Dense> reference_affine(const ReferenceCall& call, const Affine& op) {
  Dense y = call.in[0];
  for (size_t k = 0; k < y.values.size(); ++k) {
    const size_t c = size_t(channel_of(y.shape, k));
    y.values[k] = float(double(y.values[k]) * op.scale[c] + op.shift[c]);
  }
  return y;
}

Result<Dense> reference_binary(const ReferenceCall& call, const Binary& op) {
  const Constant* constant = call.constant(op.constant);
  const Dense& x = call.in[0];
  const Shape& other_shape = constant ? constant->shape : call.in[1].shape;
  const std::vector<float>& other_values = constant ? constant->values : call.in[1].values;
  const size_t rank = std::max(x.shape.size(), other_shape.size());
  Dense y;
  for (size_t i = 0; i < rank; ++i) {
    const auto dim = [&](const Shape& s) { return i + s.size() < rank ? 1 : s[i + s.size() - rank]; };
    y.shape.push_back(dim(x.shape) == 1 ? dim(other_shape) : dim(x.shape));
  }
  y.values.resize(size_t(element_count(y.shape)));
  for (size_t k = 0; k < y.values.size(); ++k) {
    const double a = broadcast_at(x.shape, x.values, y.shape, k);
    const double b = broadcast_at(other_shape, other_values, y.shape, k);
    y.values[k] = float(op.constant_first ? combine(op.kind, b, a) : combine(op.kind, a, b));
  }
  return y;
}

Result<Dense> reference_softmax(const ReferenceCall& call, const Softmax& op) {
  Dense y = call.in[0];
  const size_t axis = size_t(op.axis < 0 ? op.axis + int(y.shape.size()) : op.axis);
  const int64_t length = y.shape[axis];
  const int64_t inner = element_count({y.shape.begin() + int(axis) + 1, y.shape.end()});
  const int64_t outer = int64_t(y.values.size()) / (length * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const auto at = [&](int64_t k) -> float& { return y.values[size_t((o * length + k) * inner + i)]; };
      double largest = at(0), sum = 0;
      for (int64_t k = 1; k < length; ++k) largest = std::max<double>(largest, at(k));
      for (int64_t k = 0; k < length; ++k) sum += std::exp(at(k) - largest);
      for (int64_t k = 0; k < length; ++k) at(k) = float(std::exp(at(k) - largest) / sum);
    }
  return y;
}

}  // namespace fye
