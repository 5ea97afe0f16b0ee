// Concat, depth to space, resize, reshape.
#include <algorithm>
#include <cmath>

#include "graph/shapes.h"
#include "kernels/reference/ops.h"

namespace fye {

Result<Dense> reference_concat(const ReferenceCall& call, const Concat& op) {
  const size_t axis = size_t(op.axis);
  Dense y{call.in[0].shape, {}};
  y.shape[axis] = 0;
  for (const Dense& x : call.in) y.shape[axis] += x.shape[axis];
  const int64_t outer = element_count({y.shape.begin(), y.shape.begin() + int(axis)});
  for (int64_t o = 0; o < outer; ++o)
    for (const Dense& x : call.in) {
      const int64_t run = element_count(x.shape) / outer;
      y.values.insert(y.values.end(), x.values.begin() + o * run, x.values.begin() + (o + 1) * run);
    }
  return y;
}

Result<Dense> reference_depth_to_space(const ReferenceCall& call, const DepthToSpace& op) {
  const Dense& x = call.in[0];
  const int64_t b = op.block, ic = x.shape[1], ih = x.shape[2], iw = x.shape[3];
  const int64_t oc = ic / (b * b), oh = ih * b, ow = iw * b;
  Dense y{{x.shape[0], oc, oh, ow}, std::vector<float>(x.values.size())};
  for (int64_t n = 0; n < x.shape[0]; ++n)
    for (int64_t c = 0; c < oc; ++c)
      for (int64_t oy = 0; oy < oh; ++oy)
        for (int64_t ox = 0; ox < ow; ++ox) {
          const int64_t cell = oy % b * b + ox % b;
          const int64_t from = op.crd ? c * b * b + cell : cell * oc + c;
          y.values[size_t(((n * oc + c) * oh + oy) * ow + ox)] =
              x.values[size_t(((n * ic + from) * ih + oy / b) * iw + ox / b)];
        }
  return y;
}

namespace {

double keys(double t, double a) {
  t = std::fabs(t);
  if (t < 1) return (a + 2) * t * t * t - (a + 3) * t * t + 1;
  if (t < 2) return a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a;
  return 0;
}

}  // namespace

Result<Dense> reference_resize(const ReferenceCall& call, const Resize& op) {
  const Dense& x = call.in[0];
  const int64_t ih = x.shape[2], iw = x.shape[3], oh = ih * op.factor_h, ow = iw * op.factor_w;
  Dense y{{x.shape[0], x.shape[1], oh, ow}, std::vector<float>(size_t(x.shape[0] * x.shape[1] * oh * ow))};
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane)
    for (int64_t oy = 0; oy < oh; ++oy)
      for (int64_t ox = 0; ox < ow; ++ox) {
        const auto at = [&](int64_t iy, int64_t ix) {
          iy = std::clamp<int64_t>(iy, 0, ih - 1);
          ix = std::clamp<int64_t>(ix, 0, iw - 1);
          return double(x.values[size_t((plane * ih + iy) * iw + ix)]);
        };
        float& out = y.values[size_t((plane * oh + oy) * ow + ox)];
        if (op.kind == Resize::Kind::nearest) {
          out = float(at(oy / op.factor_h, ox / op.factor_w));
          continue;
        }
        const double sy = (double(oy) + 0.5) / op.factor_h - 0.5, sx = (double(ox) + 0.5) / op.factor_w - 0.5;
        double sum = 0;
        for (int64_t iy = int64_t(std::floor(sy)) - 1; iy <= std::floor(sy) + 2; ++iy)
          for (int64_t ix = int64_t(std::floor(sx)) - 1; ix <= std::floor(sx) + 2; ++ix)
            sum += at(iy, ix) * keys(sy - double(iy), op.cubic_a) * keys(sx - double(ix), op.cubic_a);
        out = float(sum);
      }
  return y;
}

// The target shape is worked out by the graph's rule: a second version of it would prove nothing.
Result<Dense> reference_reshape(const ReferenceCall& call, const Reshape&) {
  const Shape in = call.in[0].shape;
  Result<Shape> shape = infer_node(call.graph, call.node, {&in, 1});
  if (!shape) return shape.error();
  return Dense{*shape, call.in[0].values};
}

}  // namespace fye
