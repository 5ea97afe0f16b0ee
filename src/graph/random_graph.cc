#include "graph/random_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/zoo.h"

namespace fye {
namespace {

using Kind = Activation::Kind;

class Grower {
 public:
  Grower(uint64_t seed, const RandomGraphOptions& options)
      : state_(seed), options_(options), weights_(random_weights(seed)) {}

  Graph grow() {
    maps_ = {graph_.input("input", {1, 1 + pick(4), -1, -1})};
    TensorId last = maps_[0];
    for (int i = 0; i < options_.nodes; ++i) {
      last = step();
      maps_.push_back(last);
    }
    if (options_.global && pick(2)) last = classify(last);
    last = graph_.node("last", Elementwise{activation(graph_.shape(last))}, {last}, "output");
    return graph_.finish({last}, {{"fye.scale", "1"}});
  }

 private:
  int pick(int below) { return static_cast<int>(next() % static_cast<uint64_t>(below)); }
  // xorshift64* (Marsaglia 2003, Vigna 2016).
  uint64_t next() {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return (state_ * 0x2545f4914f6cdd1d) >> 33;
  }
  std::string fresh() { return fmt::format("n{}", ++count_); }
  TensorId any_map() {
    return maps_[static_cast<size_t>(std::max(0, static_cast<int>(maps_.size()) - 1 - pick(3)))];
  }
  int64_t channels(TensorId id) const { return graph_.shape(id)[1]; }

  Activation activation(const Shape& shape) {
    switch (pick(7)) {
      case 0:
        return {.kind = Kind::leaky_relu, .slope = {0.2f}};
      case 1:
        return {.kind = Kind::clip, .lo = 0, .hi = 255};
      case 2:
        return {.kind = Kind::tanh};
      case 3:
        return {.kind = Kind::sigmoid};
      case 4:
        if (shape[1] > 1) return {.kind = Kind::prelu, .slope = weights_("p.slope", {shape[1]})};
        return {.kind = Kind::none};
      default:
        return {.kind = Kind::relu};
    }
  }
  TensorId activate(TensorId in) {
    return graph_.node(fresh(), Elementwise{activation(graph_.shape(in))}, {in});
  }

  // "Same" convolution, so that it can be added to its input.
  TensorId conv(TensorId in, int64_t out) {
    const int64_t ic = channels(in);
    Conv op{.kernel_h = 1 + 2 * pick(2), .kernel_w = 1 + 2 * pick(3), .dilation_w = 1 + pick(2)};
    op.pad_top = op.pad_bottom = op.kernel_h / 2;
    op.pad_left = op.pad_right = op.kernel_w / 2 * op.dilation_w;
    if (pick(4) == 0 && ic == out) op.group = static_cast<int>(ic);
    op.weight = graph_.constant({out, ic / op.group, op.kernel_h, op.kernel_w},
                                weights_("c.weight", {out, ic / op.group, op.kernel_h, op.kernel_w}));
    if (pick(4)) op.bias = graph_.constant({out}, weights_("c.bias", {out}));
    return graph_.node(fresh(), op, {in});
  }
  // Any stride and padding, equal sizes at the top and different at the bottom.
  TensorId strided(TensorId in) {
    const int64_t ic = channels(in);
    Conv op{
        .kernel_h = 2 + pick(3), .kernel_w = 2 + pick(3), .stride_h = 1 + pick(2), .stride_w = 1 + pick(2)};
    op.pad_top = pick(2), op.pad_left = pick(3), op.pad_bottom = 3, op.pad_right = 2;
    op.weight = graph_.constant({4, ic, op.kernel_h, op.kernel_w},
                                weights_("s.weight", {4, ic, op.kernel_h, op.kernel_w}));
    return graph_.node(fresh(), op, {in});
  }
  TensorId transposed(TensorId in) {
    const int64_t ic = channels(in);
    ConvTranspose op{.kernel_h = 2 + pick(3), .kernel_w = 3, .stride_h = 2, .stride_w = 1 + pick(2)};
    op.pad_top = pick(2), op.pad_left = 1, op.pad_bottom = pick(2), op.output_pad_h = pick(2);
    op.weight = graph_.constant({ic, 3, op.kernel_h, op.kernel_w},
                                weights_("t.weight", {ic, 3, op.kernel_h, op.kernel_w}));
    op.bias = graph_.constant({3}, weights_("t.bias", {3}));
    return graph_.node(fresh(), op, {in});
  }
  TensorId pool(TensorId in) {
    Pool op{.kind = pick(2) ? Pool::Kind::max : Pool::Kind::average, .kernel_h = 2 + pick(2), .kernel_w = 3};
    op.stride_h = 1 + pick(2), op.stride_w = 1 + pick(2), op.pad_top = pick(2), op.pad_left = 1,
    op.pad_right = pick(2);
    op.ceil_mode = pick(2), op.count_include_pad = op.kind == Pool::Kind::average && pick(2);
    if (op.kind == Pool::Kind::max) op.dilation_h = 1 + pick(2);
    return graph_.node(fresh(), op, {in});
  }
  TensorId shuffle(TensorId in) {
    const DepthToSpace op{.block = 2, .crd = pick(2) == 1};
    return graph_.node(fresh(), op, {conv(in, 8)});
  }
  TensorId affine(TensorId in) {
    const Shape shape{channels(in)};
    return graph_.node(fresh(), Affine{weights_("a.weight", shape), weights_("a.bias", shape)}, {in});
  }
  TensorId repeated(TensorId in, int copies) {
    return graph_.node(fresh(), Concat{}, std::vector<TensorId>(static_cast<size_t>(copies), in));
  }
  TensorId residual(TensorId in) {
    const bool swap = pick(2);
    TensorId skip = in, sum = conv(pick(2) ? activate(conv(in, channels(in))) : in, channels(in));
    if (pick(3) == 0) {
      skip = repeated(in, 2);
      sum = conv(in, 2 * channels(in));
    }
    sum = graph_.node(fresh(), Binary{}, swap ? std::vector{skip, sum} : std::vector{sum, skip});
    return pick(2) ? activate(sum) : sum;
  }
  TensorId arithmetic(TensorId in) {
    const Binary op{.kind =
                        static_cast<Binary::Kind>(pick(3))};  // no division: its result need not be finite
    return graph_.node(fresh(), op, {in, activate(in)});
  }
  TensorId resize(TensorId in) {
    Resize op{.kind = pick(2) ? Resize::Kind::nearest : Resize::Kind::bicubic,
              .factor_h = 1 + pick(3),
              .factor_w = 2};
    return graph_.node(fresh(), op, {in});
  }
  // Maps grow and shrink; keep channels small.
  TensorId step() {
    const TensorId in = channels(any_map()) > 24 ? conv(maps_.back(), 4) : any_map();
    switch (pick(options_.arithmetic ? 12 : 10)) {
      case 0:
      case 1:
        return activate(conv(in, 2 + pick(6)));
      case 2:
      case 3:
        return residual(in);
      case 4:
        return shrunk_ < 2 ? ++shrunk_, strided(in) : affine(in);
      case 5:
        return enlarged_ < 3 ? ++enlarged_, transposed(in) : activate(in);
      case 6:
        return shrunk_ < 2 ? ++shrunk_, pool(in) : activate(in);
      case 7:
        return enlarged_ < 3 ? ++enlarged_, activate(shuffle(in)) : conv(in, 3);
      case 8:
        return enlarged_ < 3 ? ++enlarged_, resize(in) : activate(in);
      case 9:
        return repeated(in, 1 + pick(3));
      case 10:
        return affine(pick(2) ? conv(in, 4) : in);
      default:
        return arithmetic(in);
    }
  }
  TensorId classify(TensorId in) {
    const int64_t features = channels(in);
    TensorId x = graph_.node(fresh(), GlobalAveragePool{}, {in});
    x = graph_.node(fresh(), Reshape{}, {x});
    Gemm op{.trans_b = pick(2) == 1};
    const Shape shape = op.trans_b ? Shape{5, features} : Shape{features, 5};
    op.weight = graph_.constant(shape, weights_("g.weight", shape));
    if (pick(2)) op.bias = graph_.constant({5}, weights_("g.bias", {5}));
    x = graph_.node(fresh(), op, {x});
    return graph_.node(fresh(), Softmax{1}, {x});
  }

  uint64_t state_;
  RandomGraphOptions options_;
  WeightSource weights_;
  GraphBuilder graph_;
  std::vector<TensorId> maps_;
  int count_ = 0, enlarged_ = 0, shrunk_ = 0;
};

}  // namespace

Graph random_graph(uint64_t seed, const RandomGraphOptions& options) {
  return Grower(seed * 0x9e3779b97f4a7c15 + 1, options).grow();
}

}  // namespace fye
