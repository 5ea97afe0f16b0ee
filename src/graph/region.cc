// Regions per op, in one dimension at a time: a span of outputs needs a span of inputs, clamped to the true
// map. Tested by region_test.cc against every op's index arithmetic, pixel by pixel.
#include "graph/region.h"

#include <algorithm>

namespace fye {
namespace {

// Positions [begin, end) along one axis.
struct Span {
  int64_t begin = 0, end = 0;
};

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
int64_t ceil_div(int64_t a, int64_t b) { return -floor_div(-a, b); }

Span clip(Span span, int64_t size) {
  span.begin = std::clamp<int64_t>(span.begin, 0, size);
  return {span.begin, std::clamp(span.end, span.begin, size)};
}

// A window op: output o reads o * stride - pad + k * dilation, k < kernel; what lies beyond the map is
// padding.
Span windowed(Span out, int kernel, int stride, int dilation, int pad, int64_t size) {
  return clip({out.begin * stride - pad, (out.end - 1) * stride - pad + int64_t{kernel - 1} * dilation + 1},
              size);
}

// The reverse: input i writes i * stride - pad + k * dilation.
Span transposed(Span out, int kernel, int stride, int dilation, int pad, int64_t size) {
  return clip({ceil_div(out.begin + pad - int64_t{kernel - 1} * dilation, stride),
               floor_div(out.end - 1 + pad, stride) + 1},
              size);
}

Span divided(Span out, int factor, int64_t size) {
  return clip({out.begin / factor, (out.end - 1) / factor + 1}, size);
}

// Four taps around (o + 0.5) / factor - 0.5; taps beyond the map repeat its edge pixel, so that one is always
// needed.
Span cubic(Span out, int factor, int64_t size) {
  const auto base = [&](int64_t o) { return floor_div(2 * o + 1 - factor, 2 * int64_t{factor}); };
  return {std::clamp<int64_t>(base(out.begin) - 1, 0, size - 1),
          std::clamp<int64_t>(base(out.end - 1) + 2, 0, size - 1) + 1};
}

// One axis of a node's geometry: the attributes of that axis picked out.
struct Axis {
  bool vertical;
  int which;
  Span out;
  int64_t size;

  int pick(int h, int w) const { return vertical ? h : w; }
  Span same() const { return clip(out, size); }
  Span whole() const { return {0, size}; }

  Span operator()(const Conv& op) const {
    if (which == 1) return same();
    return windowed(out, pick(op.kernel_h, op.kernel_w), pick(op.stride_h, op.stride_w),
                    pick(op.dilation_h, op.dilation_w), pick(op.pad_top, op.pad_left), size);
  }
  Span operator()(const ConvTranspose& op) const {
    return transposed(out, pick(op.kernel_h, op.kernel_w), pick(op.stride_h, op.stride_w),
                      pick(op.dilation_h, op.dilation_w), pick(op.pad_top, op.pad_left), size);
  }
  Span operator()(const Pool& op) const {
    return windowed(out, pick(op.kernel_h, op.kernel_w), pick(op.stride_h, op.stride_w),
                    pick(op.dilation_h, op.dilation_w), pick(op.pad_top, op.pad_left), size);
  }
  Span operator()(const DepthToSpace& op) const { return divided(out, op.block, size); }
  Span operator()(const Resize& op) const {
    const int factor = pick(op.factor_h, op.factor_w);
    return op.kind == Resize::Kind::nearest ? divided(out, factor, size) : cubic(out, factor, size);
  }
  // A map of one row or column is broadcast.
  Span operator()(const Binary&) const { return size == 1 ? whole() : same(); }
  Span operator()(const Concat& op) const { return op.axis == 1 ? same() : whole(); }
  Span operator()(const Softmax& op) const { return op.axis == 1 ? same() : whole(); }
  Span operator()(const Elementwise&) const { return same(); }
  Span operator()(const Affine&) const { return same(); }
  Span operator()(const GlobalAveragePool&) const { return whole(); }
  Span operator()(const Gemm&) const { return whole(); }
  Span operator()(const Reshape&) const { return whole(); }
};

}  // namespace

Region cover(const Region& a, const Region& b) {
  if (a.h == 0 || a.w == 0) return b;
  if (b.h == 0 || b.w == 0) return a;
  const int y = std::min(a.y, b.y), x = std::min(a.x, b.x);
  return {y, x, std::max(a.y + a.h, b.y + b.h) - y, std::max(a.x + a.w, b.x + b.w) - x};
}

Region whole_grains(const Region& region, const Grain& grain, int h, int w) {
  const Grain columns{.size = grain.size};
  const int y = std::max(0, grain.row_before(region.y)), x = columns.row_before(region.x);
  return {y, x, std::min(h, grain.row_after(region.y + region.h)) - y,
          std::min(w, columns.row_after(region.x + region.w)) - x};
}

Region input_region(const Node& node, int which, const Region& out, int in_h, int in_w) {
  if (out.h == 0 || out.w == 0) return {};
  const Span rows = std::visit(Axis{true, which, {out.y, int64_t{out.y} + out.h}, in_h}, node.op);
  const Span columns = std::visit(Axis{false, which, {out.x, int64_t{out.x} + out.w}, in_w}, node.op);
  const auto whole = [](int64_t v) { return static_cast<int>(v); };
  return {whole(rows.begin), whole(columns.begin), whole(rows.end - rows.begin),
          whole(columns.end - columns.begin)};
}

}  // namespace fye
