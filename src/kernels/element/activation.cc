// Activations and affine: a function of one element and its channel. f32 and bf16 call it, u8 looks it up.
//
// The u8 tables of tanh and sigmoid are made in double and rounded once, so that they don't depend on the
// machine's libm; the float kernels use the float functions, within the f32 contract (design.md, section 4).
#include <fmt/format.h>

#include <cmath>

#include "kernels/element/element.h"
#include "kernels/element/table.h"

namespace fye {
namespace {

struct Relu {
  float operator()(float v, int) const { return v < 0.0f ? 0.0f : v; }
};
struct LeakyRelu {
  float slope;
  float operator()(float v, int) const { return v < 0.0f ? v * slope : v; }
};
struct Prelu {
  std::vector<float> slope;
  float operator()(float v, int c) const { return v < 0.0f ? v * slope[size_t(c)] : v; }
};
struct Clip {
  float lo, hi;
  float operator()(float v, int) const {
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
  }
};
struct Tanh {
  float operator()(float v, int) const { return std::tanh(v); }
};
struct Sigmoid {
  float operator()(float v, int) const { return 1.0f / (1.0f + std::exp(-v)); }
};
struct TanhOnce {
  float operator()(float v, int) const { return float(std::tanh(double(v))); }
};
struct SigmoidOnce {
  float operator()(float v, int) const { return float(1.0 / (1.0 + std::exp(-double(v)))); }
};
struct Identity {
  float operator()(float v, int) const { return v; }
};
struct ScaleShift {
  std::vector<float> scale, shift;
  float operator()(float v, int c) const { return v * scale[size_t(c)] + shift[size_t(c)]; }
};

template <class F>
inline constexpr bool kPerChannel = std::is_same_v<F, Prelu> || std::is_same_v<F, ScaleShift>;

template <class T, class F>
class UnaryKernel : public Kernel {
 public:
  explicit UnaryKernel(F f) : f_(std::move(f)) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const Map& from = in[0];
    const bool flat = !kPerChannel<F> && from.pitch == from.channels && out.pitch == out.channels;
    const F f = f_;  // a local copy, so that the compiler need not reload its members after each store
    for (int y = y0; y < y1; ++y) {
      const T* src = from.at<T>(y, out.region.x);
      T* dst = out.at<T>(y, out.region.x);
      const ptrdiff_t pixels = flat ? 1 : out.region.w;
      const int values = flat ? out.region.w * out.channels : out.channels;
      for (ptrdiff_t x = 0; x < pixels; ++x) {
        const T* __restrict a = src + x * from.pitch;
        T* __restrict b = dst + x * out.pitch;
        for (int c = 0; c < values; ++c) b[c] = Stored<T>::store(f(Stored<T>::load(a[c], {}), c), {});
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  F f_;
};

// `exact` is the form that the u8 tables are made from.
template <class F, class Exact>
Prepared unary(const NodeProblem& p, F f, const Exact& exact) {
  if (p.out.type == DType::f32)
    return std::unique_ptr<Kernel>(std::make_unique<UnaryKernel<float, F>>(std::move(f)));
  if (p.out.type == DType::bf16)
    return std::unique_ptr<Kernel>(std::make_unique<UnaryKernel<Bf16, F>>(std::move(f)));
  std::vector<ByteTable> tables;
  for (int c = 0; c < (kPerChannel<F> ? p.out.channels : 1); ++c)
    tables.push_back(byte_table(p.in[0].quant, p.out.quant, [&](float v) { return exact(v, c); }));
  return table_kernel(std::move(tables));
}
template <class F>
Prepared unary(const NodeProblem& p, const F& f) {
  return unary(p, f, f);
}

Status same_channels(const NodeProblem& p) {
  if (p.in[0].channels != p.out.channels)
    return node_error(p.node, fmt::format("{} channels in, {} out", p.in[0].channels, p.out.channels));
  return {};
}

}  // namespace

Prepared prepare_elementwise(const NodeProblem& p, const Elementwise& op) {
  if (Status status = same_channels(p); !status) return status.error();
  const Activation& act = op.act;
  switch (act.kind) {
    case Activation::Kind::none:
      return unary(p, Identity{});
    case Activation::Kind::relu:
      return unary(p, Relu{});
    case Activation::Kind::leaky_relu:
      if (act.slope.size() != 1) return node_error(p.node, "leaky_relu without its slope");
      return unary(p, LeakyRelu{act.slope[0]});
    case Activation::Kind::prelu:
      if (act.slope.size() == 1) return unary(p, LeakyRelu{act.slope[0]});
      if (act.slope.size() != size_t(p.out.channels))
        return node_error(p.node, fmt::format("{} slopes for {} channels", act.slope.size(), p.out.channels));
      return unary(p, Prelu{act.slope});
    case Activation::Kind::clip:
      return unary(p, Clip{act.lo, act.hi});
    case Activation::Kind::tanh:
      return unary(p, Tanh{}, TanhOnce{});
    case Activation::Kind::sigmoid:
      return unary(p, Sigmoid{}, SigmoidOnce{});
  }
  return node_error(p.node, "unknown activation");
}

Prepared prepare_affine(const NodeProblem& p, const Affine& op) {
  if (Status status = same_channels(p); !status) return status.error();
  const size_t channels = size_t(p.out.channels);
  if (op.scale.size() != channels || op.shift.size() != channels)
    return node_error(p.node, fmt::format("{} scales and {} shifts for {} channels", op.scale.size(),
                                          op.shift.size(), channels));
  return unary(p, ScaleShift{op.scale, op.shift});
}

}  // namespace fye
