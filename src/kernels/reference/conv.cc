// Convolution, transposed convolution, Gemm: sums in double, rounded to float once.
#include "kernels/reference/ops.h"

namespace fye {
namespace {

int64_t windows(int64_t in, int kernel, int stride, int dilation, int pad) {
  return (in + pad - (int64_t{kernel - 1} * dilation + 1)) / stride + 1;
}

}  // namespace

Result<Dense> reference_conv(const ReferenceCall& call, const Conv& op) {
  const Dense& x = call.in[0];
  const Constant& w = *call.constant(op.weight);
  const Constant* bias = call.constant(op.bias);
  const int64_t batch = x.shape[0], ih = x.shape[2], iw = x.shape[3];
  const int64_t oc = w.shape[0], in_group = w.shape[1], out_group = oc / op.group;
  const int64_t oh = windows(ih, op.kernel_h, op.stride_h, op.dilation_h, op.pad_top + op.pad_bottom);
  const int64_t ow = windows(iw, op.kernel_w, op.stride_w, op.dilation_w, op.pad_left + op.pad_right);
  Dense y{{batch, oc, oh, ow}, std::vector<float>(size_t(batch * oc * oh * ow))};

  for (int64_t n = 0; n < batch; ++n)
    for (int64_t o = 0; o < oc; ++o)
      for (int64_t oy = 0; oy < oh; ++oy)
        for (int64_t ox = 0; ox < ow; ++ox) {
          double sum = bias ? bias->values[size_t(o)] : 0.0;
          for (int64_t i = 0; i < in_group; ++i)
            for (int64_t ky = 0; ky < op.kernel_h; ++ky)
              for (int64_t kx = 0; kx < op.kernel_w; ++kx) {
                const int64_t iy = oy * op.stride_h - op.pad_top + ky * op.dilation_h;
                const int64_t ix = ox * op.stride_w - op.pad_left + kx * op.dilation_w;
                if (iy < 0 || iy >= ih || ix < 0 || ix >= iw) continue;
                const int64_t c = o / out_group * in_group + i;
                sum += double(x.values[size_t(((n * x.shape[1] + c) * ih + iy) * iw + ix)]) *
                       w.values[size_t(((o * in_group + i) * op.kernel_h + ky) * op.kernel_w + kx)];
              }
          double v = activate(op.act, sum, o);
          if (call.in.size() == 2) {
            const int64_t channels = oc / op.residual_repeat;
            v += call.in[1].values[size_t(((n * channels + o % channels) * oh + oy) * ow + ox)];
          }
          y.values[size_t(((n * oc + o) * oh + oy) * ow + ox)] = float(activate(op.post, v, o));
        }
  return y;
}

Result<Dense> reference_conv_transpose(const ReferenceCall& call, const ConvTranspose& op) {
  const Dense& x = call.in[0];
  const Constant& w = *call.constant(op.weight);
  const Constant* bias = call.constant(op.bias);
  const int64_t batch = x.shape[0], ic = x.shape[1], ih = x.shape[2], iw = x.shape[3];
  const int64_t out_group = w.shape[1], oc = out_group * op.group, in_group = ic / op.group;
  const int64_t oh = (ih - 1) * op.stride_h + int64_t{op.kernel_h - 1} * op.dilation_h + 1 - op.pad_top -
                     op.pad_bottom + op.output_pad_h;
  const int64_t ow = (iw - 1) * op.stride_w + int64_t{op.kernel_w - 1} * op.dilation_w + 1 - op.pad_left -
                     op.pad_right + op.output_pad_w;
  std::vector<double> sums(size_t(batch * oc * oh * ow));
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t i = 0; i < ic; ++i)
      for (int64_t iy = 0; iy < ih; ++iy)
        for (int64_t ix = 0; ix < iw; ++ix)
          for (int64_t g = 0; g < out_group; ++g)
            for (int64_t ky = 0; ky < op.kernel_h; ++ky)
              for (int64_t kx = 0; kx < op.kernel_w; ++kx) {
                const int64_t oy = iy * op.stride_h - op.pad_top + ky * op.dilation_h;
                const int64_t ox = ix * op.stride_w - op.pad_left + kx * op.dilation_w;
                if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
                const int64_t o = i / in_group * out_group + g;
                sums[size_t(((n * oc + o) * oh + oy) * ow + ox)] +=
                    double(x.values[size_t(((n * ic + i) * ih + iy) * iw + ix)]) *
                    w.values[size_t(((i * out_group + g) * op.kernel_h + ky) * op.kernel_w + kx)];
              }
  Dense y{{batch, oc, oh, ow}, std::vector<float>(sums.size())};
  for (size_t k = 0; k < sums.size(); ++k) {
    const int64_t o = int64_t(k) / (oh * ow) % oc;
    y.values[k] = float(sums[k] + (bias ? bias->values[size_t(o)] : 0.0));
  }
  return y;
}

Result<Dense> reference_gemm(const ReferenceCall& call, const Gemm& op) {
  const Dense& a = call.in[0];
  const Constant& b = *call.constant(op.weight);
  const Constant* c = call.constant(op.bias);
  const int64_t rows = a.shape[op.trans_a ? 1 : 0], inner = a.shape[op.trans_a ? 0 : 1];
  const int64_t columns = b.shape[op.trans_b ? 0 : 1];
  Dense y{{rows, columns}, std::vector<float>(size_t(rows * columns))};
  for (int64_t m = 0; m < rows; ++m)
    for (int64_t n = 0; n < columns; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < inner; ++k)
        sum += double(a.values[size_t(op.trans_a ? k * rows + m : m * inner + k)]) *
               b.values[size_t(op.trans_b ? n * inner + k : k * columns + n)];
      sum *= op.alpha;
      if (c) sum += double(op.beta) * c->values[c->values.size() == 1 ? 0 : size_t(n)];
      y.values[size_t(m * columns + n)] = float(sum);
    }
  return y;
}

}  // namespace fye
