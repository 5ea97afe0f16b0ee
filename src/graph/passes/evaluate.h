// An evaluator of graphs in double precision, for tests of rewrites: each op as ONNX's page states it,
// nothing shared with the kernels or with shapes.cc.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/graph.h"

namespace fye {

// A tensor in memory; dense, in ONNX order.
struct Dense {
  Shape shape;
  std::vector<double> values;

  int64_t dim(size_t i) const { return shape[i]; }
  double& at(int64_t n, int64_t c, int64_t y, int64_t x) {
    return values[static_cast<size_t>(((n * shape[1] + c) * shape[2] + y) * shape[3] + x)];
  }
  double at(int64_t n, int64_t c, int64_t y, int64_t x) const {
    return const_cast<Dense*>(this)->at(n, c, y, x);
  }
  bool inside(int64_t y, int64_t x) const { return y >= 0 && x >= 0 && y < shape[2] && x < shape[3]; }
};

class Evaluator {
 public:
  explicit Evaluator(const Graph& graph) : graph_(graph) {}

  // Every tensor's value for one input; shapes from infer_shapes().
  std::vector<Dense> run(const Dense& input, const std::vector<Shape>& shapes) {
    std::vector<Dense> all(graph_.tensors.size());
    all[static_cast<size_t>(graph_.inputs[0])] = input;
    for (const Node& node : graph_.nodes) {
      in_.clear();
      for (const TensorId id : node.inputs) in_.push_back(&all[static_cast<size_t>(id)]);
      Dense& out = all[static_cast<size_t>(node.output)];
      out.shape = shapes[static_cast<size_t>(node.output)];
      out.values.assign(static_cast<size_t>(element_count(out.shape)), 0.0);
      out_ = &out;
      std::visit(*this, node.op);
    }
    return all;
  }

  void operator()(const Conv& op) {
    const Constant& w = constant(op.weight);
    const Dense& x = *in_[0];
    const int64_t per_group = w.shape[1], out_per_group = w.shape[0] / op.group;
    each([&](int64_t n, int64_t c, int64_t oy, int64_t ox, double& y) {
      y = bias(op.bias, c);
      for (int64_t i = 0; i < per_group; ++i)
        for (int ky = 0; ky < op.kernel_h; ++ky)
          for (int kx = 0; kx < op.kernel_w; ++kx) {
            const int64_t iy = oy * op.stride_h - op.pad_top + ky * op.dilation_h;
            const int64_t ix = ox * op.stride_w - op.pad_left + kx * op.dilation_w;
            if (x.inside(iy, ix))
              y += weight(w, c, i, ky, kx) * x.at(n, c / out_per_group * per_group + i, iy, ix);
          }
      y = apply(op.act, c, y);
      if (in_.size() > 1) y += in_[1]->at(n, c % in_[1]->dim(1), oy, ox);
      y = apply(op.post, c, y);
    });
  }
  void operator()(const ConvTranspose& op) {
    const Constant& w = constant(op.weight);
    const Dense& x = *in_[0];
    const int64_t per_group = w.shape[0] / op.group, out_per_group = w.shape[1];
    each([&](int64_t n, int64_t c, int64_t oy, int64_t ox, double& y) {
      y = bias(op.bias, c);
      for (int64_t i = 0; i < per_group; ++i)
        for (int ky = 0; ky < op.kernel_h; ++ky)
          for (int kx = 0; kx < op.kernel_w; ++kx) {
            const int64_t sy = oy + op.pad_top - ky * op.dilation_h,
                          sx = ox + op.pad_left - kx * op.dilation_w;
            if (sy % op.stride_h != 0 || sx % op.stride_w != 0 ||
                !x.inside(sy / op.stride_h, sx / op.stride_w))
              continue;
            const int64_t source = c / out_per_group * per_group + i;
            y += weight(w, source, c % out_per_group, ky, kx) *
                 x.at(n, source, sy / op.stride_h, sx / op.stride_w);
          }
    });
  }
  void operator()(const Elementwise& op) {
    size_t inner = 1;
    for (size_t i = 2; i < out_->shape.size(); ++i) inner *= static_cast<size_t>(out_->shape[i]);
    for (size_t i = 0; i < out_->values.size(); ++i)
      out_->values[i] = apply(op.act, static_cast<int64_t>(i / inner) % out_->dim(1), in_[0]->values[i]);
  }
  void operator()(const Binary& op) {
    each([&](int64_t n, int64_t c, int64_t y, int64_t x, double& out) {
      const auto wrapped = [&](const Dense& d) {
        return d.at(n % d.dim(0), c % d.dim(1), y % d.dim(2), x % d.dim(3));
      };
      const double a = wrapped(*in_[0]), b = wrapped(*in_[1]);
      out = op.kind == Binary::Kind::add   ? a + b
            : op.kind == Binary::Kind::sub ? a - b
            : op.kind == Binary::Kind::mul ? a * b
                                           : a / b;
    });
  }
  void operator()(const Concat&) {
    each([&](int64_t n, int64_t c, int64_t y, int64_t x, double& out) {
      for (const Dense* in : in_) {
        if (c < in->dim(1)) {
          out = in->at(n, c, y, x);
          return;
        }
        c -= in->dim(1);
      }
    });
  }
  void operator()(const DepthToSpace& op) {
    const int64_t b = op.block, channels = out_->dim(1);
    each([&](int64_t n, int64_t c, int64_t y, int64_t x, double& out) {
      const int64_t phase = y % b * b + x % b;
      out = in_[0]->at(n, op.crd ? c * b * b + phase : phase * channels + c, y / b, x / b);
    });
  }
  void operator()(const Resize& op) {
    const Dense& in = *in_[0];
    each([&](int64_t n, int64_t c, int64_t y, int64_t x, double& out) {
      if (op.kind == Resize::Kind::nearest) {
        out = in.at(n, c, y / op.factor_h, x / op.factor_w);
        return;
      }
      const auto kernel = [&](double t) {
        const double a = op.cubic_a;
        t = std::fabs(t);
        return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : t < 2 ? ((t - 5) * t + 8) * t * a - 4 * a : 0;
      };
      const double sy = (static_cast<double>(y) + 0.5) / op.factor_h - 0.5,
                   sx = (static_cast<double>(x) + 0.5) / op.factor_w - 0.5;
      for (int ky = -1; ky <= 2; ++ky)
        for (int kx = -1; kx <= 2; ++kx) {
          const double ty = std::floor(sy) + ky, tx = std::floor(sx) + kx;
          out += kernel(sy - ty) * kernel(sx - tx) *
                 in.at(n, c, std::clamp<int64_t>(static_cast<int64_t>(ty), 0, in.dim(2) - 1),
                       std::clamp<int64_t>(static_cast<int64_t>(tx), 0, in.dim(3) - 1));
        }
    });
  }
  void operator()(const Pool& op) {
    const Dense& in = *in_[0];
    each([&](int64_t n, int64_t c, int64_t oy, int64_t ox, double& out) {
      double sum = 0, most = -INFINITY;
      int64_t inside = 0, counted = 0;
      for (int ky = 0; ky < op.kernel_h; ++ky)
        for (int kx = 0; kx < op.kernel_w; ++kx) {
          const int64_t y = oy * op.stride_h - op.pad_top + ky * op.dilation_h,
                        x = ox * op.stride_w - op.pad_left + kx * op.dilation_w;
          counted += y < in.dim(2) + op.pad_bottom && x < in.dim(3) + op.pad_right;
          if (!in.inside(y, x)) continue;
          ++inside;
          sum += in.at(n, c, y, x);
          most = std::max(most, in.at(n, c, y, x));
        }
      out = op.kind == Pool::Kind::max ? most
                                       : sum / static_cast<double>(op.count_include_pad ? counted : inside);
    });
  }
  void operator()(const GlobalAveragePool&) {
    const Dense& in = *in_[0];
    each([&](int64_t n, int64_t c, int64_t, int64_t, double& out) {
      for (int64_t y = 0; y < in.dim(2); ++y)
        for (int64_t x = 0; x < in.dim(3); ++x)
          out += in.at(n, c, y, x) / static_cast<double>(in.dim(2) * in.dim(3));
    });
  }
  void operator()(const Gemm& op) {
    const Constant& w = constant(op.weight);
    const int64_t k = w.shape[op.trans_b ? 1 : 0], columns = out_->dim(1);
    for (int64_t r = 0; r < out_->dim(0); ++r)
      for (int64_t c = 0; c < columns; ++c) {
        double sum = 0;
        for (int64_t i = 0; i < k; ++i)
          sum += in_[0]->values[static_cast<size_t>(op.trans_a ? i * out_->dim(0) + r : r * k + i)] *
                 w.values[static_cast<size_t>(op.trans_b ? c * k + i : i * columns + c)];
        out_->values[static_cast<size_t>(r * columns + c)] = op.alpha * sum + op.beta * bias(op.bias, c);
      }
  }
  void operator()(const Reshape&) { out_->values = in_[0]->values; }
  // Of matrices, along their rows.
  void operator()(const Softmax&) {
    const auto columns = static_cast<size_t>(out_->dim(1));
    for (size_t row = 0; row < out_->values.size(); row += columns) {
      double most = -INFINITY, sum = 0;
      for (size_t i = row; i < row + columns; ++i) most = std::max(most, in_[0]->values[i]);
      for (size_t i = row; i < row + columns; ++i)
        sum += out_->values[i] = std::exp(in_[0]->values[i] - most);
      for (size_t i = row; i < row + columns; ++i) out_->values[i] /= sum;
    }
  }
  void operator()(const Affine& op) {
    each([&](int64_t n, int64_t c, int64_t y, int64_t x, double& out) {
      out = in_[0]->at(n, c, y, x) * op.scale[static_cast<size_t>(c)] + op.shift[static_cast<size_t>(c)];
    });
  }

 private:
  const Constant& constant(ConstantId id) const { return graph_.constants[static_cast<size_t>(id)]; }
  double bias(ConstantId id, int64_t c) const {
    return id == kNone ? 0 : constant(id).values[static_cast<size_t>(c)];
  }
  static double weight(const Constant& w, int64_t a, int64_t b, int64_t y, int64_t x) {
    return w.values[static_cast<size_t>(((a * w.shape[1] + b) * w.shape[2] + y) * w.shape[3] + x)];
  }
  static double apply(const Activation& act, int64_t c, double v) {
    switch (act.kind) {
      case Activation::Kind::none:
        return v;
      case Activation::Kind::relu:
        return std::max(v, 0.0);
      case Activation::Kind::leaky_relu:
        return v < 0 ? v * act.slope[0] : v;
      case Activation::Kind::prelu:
        return v < 0 ? v * act.slope[static_cast<size_t>(c)] : v;
      case Activation::Kind::clip:
        return std::min(std::max(v, double{act.lo}), double{act.hi});
      case Activation::Kind::tanh:
        return std::tanh(v);
      case Activation::Kind::sigmoid:
        return 1 / (1 + std::exp(-v));
    }
    return v;
  }
  // Every element of a 4-dimensional output.
  template <class F>
  void each(const F& f) {
    for (int64_t n = 0; n < out_->dim(0); ++n)
      for (int64_t c = 0; c < out_->dim(1); ++c)
        for (int64_t y = 0; y < out_->dim(2); ++y)
          for (int64_t x = 0; x < out_->dim(3); ++x) f(n, c, y, x, out_->at(n, c, y, x));
  }

  const Graph& graph_;
  std::vector<const Dense*> in_;
  Dense* out_ = nullptr;
};

}  // namespace fye
