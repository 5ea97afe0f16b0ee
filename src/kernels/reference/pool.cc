// Pools. ONNX: padding never wins a maximum; an average divides by the pixels of the window that lie in the
// map, or, with count_include_pad, in the map and its padding.
#include <cmath>
#include <limits>

#include "kernels/reference/ops.h"

namespace fye {
namespace {

// Output size; with ceil_mode a last window may hang over, but not start beyond the map.
int64_t windows(int64_t in, int kernel, int stride, int dilation, int begin, int end, bool ceil) {
  const double room = double(in + begin + end - (int64_t{kernel - 1} * dilation + 1));
  int64_t count = int64_t(ceil ? std::ceil(room / stride) : std::floor(room / stride)) + 1;
  if (ceil && (count - 1) * stride >= in + begin) --count;
  return count;
}

}  // namespace

Result<Dense> reference_pool(const ReferenceCall& call, const Pool& op) {
  const Dense& x = call.in[0];
  const int64_t ih = x.shape[2], iw = x.shape[3];
  const int64_t oh =
      windows(ih, op.kernel_h, op.stride_h, op.dilation_h, op.pad_top, op.pad_bottom, op.ceil_mode);
  const int64_t ow =
      windows(iw, op.kernel_w, op.stride_w, op.dilation_w, op.pad_left, op.pad_right, op.ceil_mode);
  Dense y{{x.shape[0], x.shape[1], oh, ow}, {}};
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane)
    for (int64_t oy = 0; oy < oh; ++oy)
      for (int64_t ox = 0; ox < ow; ++ox) {
        double largest = -std::numeric_limits<double>::infinity(), sum = 0;
        int64_t inside = 0, padded = 0;
        for (int64_t ky = 0; ky < op.kernel_h; ++ky)
          for (int64_t kx = 0; kx < op.kernel_w; ++kx) {
            const int64_t iy = oy * op.stride_h - op.pad_top + ky * op.dilation_h;
            const int64_t ix = ox * op.stride_w - op.pad_left + kx * op.dilation_w;
            padded += iy < ih + op.pad_bottom && ix < iw + op.pad_right;
            if (iy < 0 || iy >= ih || ix < 0 || ix >= iw) continue;
            const double v = x.values[size_t((plane * ih + iy) * iw + ix)];
            largest = v > largest ? v : largest;
            sum += v;
            ++inside;
          }
        const int64_t count = op.count_include_pad ? padded : inside;
        y.values.push_back(float(op.kind == Pool::Kind::max ? largest : sum / double(count)));
      }
  return y;
}

Result<Dense> reference_global_average_pool(const ReferenceCall& call) {
  const Dense& x = call.in[0];
  const int64_t pixels = x.shape[2] * x.shape[3];
  Dense y{{x.shape[0], x.shape[1], 1, 1}, {}};
  for (int64_t plane = 0; plane < x.shape[0] * x.shape[1]; ++plane) {
    double sum = 0;
    for (int64_t k = 0; k < pixels; ++k) sum += x.values[size_t(plane * pixels + k)];
    y.values.push_back(float(sum / double(pixels)));
  }
  return y;
}

}  // namespace fye
