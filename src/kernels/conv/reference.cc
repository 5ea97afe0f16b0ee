#include "kernels/conv/reference.h"

#include <algorithm>
#include <cmath>

#include "kernels/conv/activation.h"
#include "kernels/convert/number.h"
#include "kernels/conv/requant.h"

namespace fye {
namespace {

float value(float x) { return x; }
float value(uint16_t x) { return to_float(Bf16{x}); }
void put(float& to, double x) { to = float(x); }
void put(uint16_t& to, double x) { to = to_bf16(float(x)).bits; }

// Calls visit(input element, weight index) for every tap of output (y, x, c).
template <class T, class Visit>
void for_each_tap(const ConvProblem& p, const Map& in, int y, int x, int c, Visit visit) {
  const int per_group = p.in_channels / p.group;
  const int first = c / (p.out_channels / p.group) * per_group;
  size_t w = size_t(c) * per_group * p.kernel_h * p.kernel_w;
  for (int i = 0; i < per_group; ++i)
    for (int ky = 0; ky < p.kernel_h; ++ky)
      for (int kx = 0; kx < p.kernel_w; ++kx, ++w)
        visit(in.at<const T>(y * p.stride_h - p.pad_top + ky * p.dilation_h,
                             x * p.stride_w - p.pad_left + kx * p.dilation_w)[first + i],
              w);
}

// T: float, or uint16_t for bf16.
template <class T>
class FloatReference : public Kernel {
 public:
  explicit FloatReference(const ConvProblem& problem) : p_(problem) {
    if constexpr (sizeof(T) == 2)
      for (float& w : p_.weight) w = to_float(to_bf16(w));
  }

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    for (int y = y0; y < y1; ++y)
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        T* to = out.at<T>(y, x);
        for (int c = 0; c < p_.out_channels; ++c) {
          double sum = 0;
          for_each_tap<T>(p_, in[0], y, x, c,
                          [&](T v, size_t w) { sum += double(value(v)) * double(p_.weight[w]); });
          sum = activate(p_.act, sum + p_.bias[c], c);
          if (p_.residual) sum += value(in[1].at<const T>(y, x)[residual_channel(p_, c)]);
          put(to[c], activate(p_.post, sum, c));
        }
        std::fill(to + p_.out_channels, to + out.pitch, T(0));
      }
  }
  std::string_view variant() const override { return "scalar"; }

 private:
  ConvProblem p_;
};

// Out: uint8_t, or int16_t for a wide problem.
template <class Out>
class Int8Reference : public Kernel {
 public:
  explicit Int8Reference(const ConvProblem& problem) : p_(problem), r_(requant_of(problem)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    for (int y = y0; y < y1; ++y)
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        Out* to = out.at<Out>(y, x);
        for (int c = 0; c < p_.out_channels; ++c) {
          uint32_t acc = uint32_t(p_.bias_q[c]);  // modulo 2^32, like the vector kernels
          for_each_tap<uint8_t>(p_, in[0], y, x, c, [&](uint8_t v, size_t w) {
            acc += uint32_t((int(v) - p_.in.zero) * p_.weight_q[w]);
          });
          const int level = p_.residual ? in[1].at<const Out>(y, x)[residual_channel(p_, c)] : r_.z_res;
          if constexpr (sizeof(Out) == 2)
            to[c] = requantise_wide(r_, c, int32_t(acc), level);
          else
            to[c] = requantise(r_, c, int32_t(acc), level);
        }
        std::fill(to + p_.out_channels, to + out.pitch, Out(0));
      }
  }
  std::string_view variant() const override { return "scalar"; }

 private:
  ConvProblem p_;
  Requant r_;
};

}  // namespace

std::unique_ptr<Kernel> prepare_reference_f32(const ConvProblem& problem) {
  return std::make_unique<FloatReference<float>>(problem);
}
std::unique_ptr<Kernel> prepare_reference_bf16(const ConvProblem& problem) {
  return std::make_unique<FloatReference<uint16_t>>(problem);
}
std::unique_ptr<Kernel> prepare_reference_int8(const ConvProblem& problem) {
  if (problem.wide) return std::make_unique<Int8Reference<int16_t>>(problem);
  return std::make_unique<Int8Reference<uint8_t>>(problem);
}

}  // namespace fye
