// Add, subtract, multiply, divide: two maps, or a map and a constant.
//
// u8: sums as design.md, section 4: sat(rne(A (q_a - z_a) + B (q_b - z_b)) + z) with A = s_a / s_y, B = s_b /
// s_y, no fused multiply-add (the whole build has -ffp-contract=off). Products and quotients of two u8 maps:
// float32 of the real values, then sat(rne(v / s_y) + z). A constant that is one value, or one a channel,
// becomes a table. s16: sat16(q_a +- q_b), all on one grid.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/element/element.h"
#include "kernels/element/table.h"

namespace fye {
namespace {

using Kind = Binary::Kind;

template <Kind kind>
inline float apply(float a, float b) {
  if constexpr (kind == Kind::add) return a + b;
  if constexpr (kind == Kind::sub) return a - b;
  if constexpr (kind == Kind::mul) return a * b;
  if constexpr (kind == Kind::div) return a / b;
}

template <class Make>
Prepared with_kind(Kind kind, Make make) {
  switch (kind) {
    case Kind::add:
      return make(std::integral_constant<Kind, Kind::add>{});
    case Kind::sub:
      return make(std::integral_constant<Kind, Kind::sub>{});
    case Kind::mul:
      return make(std::integral_constant<Kind, Kind::mul>{});
    default:
      return make(std::integral_constant<Kind, Kind::div>{});
  }
}

template <class T, Kind kind>
class MapsKernel : public Kernel {
 public:
  MapsKernel(Quant a, Quant b, Quant out)
      : a_(a), b_(b), out_(out), ratio_a_(a.scale / out.scale), ratio_b_(b.scale / out.scale) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const bool flat = in[0].pitch == out.channels && in[1].pitch == out.channels && out.pitch == out.channels;
    for (int y = y0; y < y1; ++y) {
      const T* a = in[0].at<T>(y, out.region.x);
      const T* b = in[1].at<T>(y, out.region.x);
      T* dst = out.at<T>(y, out.region.x);
      if (flat) {
        run(a, b, dst, ptrdiff_t(out.region.w) * out.channels);
      } else {
        for (int x = 0; x < out.region.w; ++x, a += in[0].pitch, b += in[1].pitch, dst += out.pitch)
          run(a, b, dst, out.channels);
        fill_gap<T>(out, y);
      }
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  static constexpr bool kSum = kind == Kind::add || kind == Kind::sub;

  void run(const T* __restrict a, const T* __restrict b, T* __restrict out, ptrdiff_t count) const {
    if constexpr (std::is_same_v<T, uint8_t> && kSum) {
      const int zero_a = a_.zero, zero_b = b_.zero, zero = out_.zero;
      const float ratio_a = ratio_a_, ratio_b = ratio_b_;
      const float lo = float(-zero), hi = float(255 - zero);
      for (ptrdiff_t i = 0; i < count; ++i) {  // saturate() of number.h, without the test for NaN: vectorised
        float v = apply<kind>(ratio_a * float(int(a[i]) - zero_a), ratio_b * float(int(b[i]) - zero_b));
        v = v < lo ? lo : v;
        v = v > hi ? hi : v;
        out[i] = uint8_t(int(round_half_even(v)) + zero);
      }
    } else {
      for (ptrdiff_t i = 0; i < count; ++i)
        out[i] = Stored<T>::store(apply<kind>(Stored<T>::load(a[i], a_), Stored<T>::load(b[i], b_)), out_);
    }
  }

  Quant a_, b_, out_;
  float ratio_a_, ratio_b_;
};

// s16, all on one grid.
template <Kind kind>
class WideKernel : public Kernel {
 public:
  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    for (int y = y0; y < y1; ++y) {
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const int16_t* a = in[0].at<int16_t>(y, x);
        const int16_t* b = in[1].at<int16_t>(y, x);
        int16_t* __restrict to = out.at<int16_t>(y, x);
        for (int c = 0; c < out.channels; ++c)
          to[c] = int16_t(std::clamp(kind == Kind::add ? a[c] + b[c] : a[c] - b[c], -32768, 32767));
      }
      fill_gap<int16_t>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }
};

// A constant seen from an NHWC map: the value for (y, x, c) is values[y * step_y + x * step_x + c * step_c];
// the step of a dimension that broadcasts is 0.
struct Spread {
  std::vector<float> values;
  ptrdiff_t step_y = 0, step_x = 0, step_c = 0;

  bool per_channel() const { return step_y == 0 && step_x == 0; }
};

// A tensor that is no plane lies in a map of one pixel, all dimensions but the batch flattened into channels:
// one value for each of them, read off the constant as ONNX broadcasts it.
Result<Spread> spread_flat(const NodeProblem& p, const Constant& constant, const Shape& tensor) {
  const size_t rank = tensor.size(), size = constant.shape.size();
  Spread s{std::vector<float>(static_cast<size_t>(p.out.channels)), 0, 0, 1};
  if (element_count({tensor.begin() + 1, tensor.end()}) != p.out.channels)
    return node_error(p.node, fmt::format("a constant and a tensor [{}] of unknown or other size",
                                          fmt::join(tensor, ", ")));
  for (size_t c = 0; c < s.values.size(); ++c) {
    size_t rest = c, at = 0, step = 1;
    for (size_t i = 0; i + 1 < rank; ++i) {  // from the last dimension to the first after the batch
      const size_t index = rest % size_t(tensor[rank - 1 - i]);
      rest /= size_t(tensor[rank - 1 - i]);
      if (i >= size) break;
      const int64_t dim = constant.shape[size - 1 - i];
      if (dim != 1 && dim != tensor[rank - 1 - i])
        return node_error(p.node, fmt::format("the constant [{}] does not broadcast to [{}]",
                                              fmt::join(constant.shape, ", "), fmt::join(tensor, ", ")));
      if (dim > 1) at += index * step;
      step *= size_t(dim);
    }
    s.values[c] = constant.values[at];
  }
  return s;
}

// The constant aligned to the right of the tensor's dimensions, as ONNX broadcasts; NCHW where nothing else
// is known.
Result<Spread> spread(const NodeProblem& p, const Constant& constant) {
  Spread s{constant.values};
  if (constant.values.size() == 1) return s;
  const size_t rank = size_t(input_rank(p.graph, p.node)), size = constant.shape.size();
  if (size > rank)
    return node_error(p.node, fmt::format("the constant has {} dimensions, the tensor {}", size, rank));
  if (size == rank && constant.shape[0] != 1)
    return node_error(p.node, fmt::format("the constant has {} batch items, expected 1", constant.shape[0]));
  if (rank != 4) return spread_flat(p, constant, p.graph.tensors[size_t(p.node.inputs[0])].shape);
  int64_t dims[4] = {1, 1, 1, 1};  // NCHW
  for (size_t i = 0; i < size; ++i) dims[rank - size + i] = constant.shape[i];
  if (dims[1] != 1 && dims[1] != p.out.channels)
    return node_error(p.node,
                      fmt::format("the constant has {} channels, the tensor {}", dims[1], p.out.channels));
  if (int64_t(constant.values.size()) != dims[1] * dims[2] * dims[3])
    return node_error(p.node, "the constant's shape and values differ in size");
  s.step_x = dims[3] > 1 ? 1 : 0;
  s.step_y = dims[2] > 1 ? ptrdiff_t(dims[3]) : 0;
  s.step_c = dims[1] > 1 ? ptrdiff_t(dims[2] * dims[3]) : 0;
  return s;
}

template <class T, Kind kind>
class ConstantKernel : public Kernel {
 public:
  ConstantKernel(Spread constant, bool first, Quant in, Quant out)
      : constant_(std::move(constant)), first_(first), in_(in), out_(out) {}

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    const float* values = constant_.values.data();
    const ptrdiff_t step_c = constant_.step_c;
    for (int y = y0; y < y1; ++y) {
      for (int x = out.region.x; x < out.region.x + out.region.w; ++x) {
        const float* k = values + y * constant_.step_y + x * constant_.step_x;
        const T* __restrict src = in[0].at<T>(y, x);
        T* __restrict dst = out.at<T>(y, x);
        for (int c = 0; c < out.channels; ++c) {
          const float v = Stored<T>::load(src[c], in_);
          dst[c] =
              Stored<T>::store(first_ ? apply<kind>(k[c * step_c], v) : apply<kind>(v, k[c * step_c]), out_);
        }
      }
      fill_gap<T>(out, y);
    }
  }
  std::string_view variant() const override { return "direct"; }

 private:
  Spread constant_;
  bool first_;
  Quant in_, out_;
};

}  // namespace

Prepared prepare_binary(const NodeProblem& p, const Binary& op) {
  for (const Format& in : p.in)
    if (in.channels != p.out.channels)
      return node_error(
          p.node, fmt::format("{} channels in, {} out: maps don't broadcast", in.channels, p.out.channels));
  if (p.out.type == DType::s16) {
    if (op.kind == Kind::add) return std::unique_ptr<Kernel>(std::make_unique<WideKernel<Kind::add>>());
    return std::unique_ptr<Kernel>(std::make_unique<WideKernel<Kind::sub>>());
  }
  if (op.constant == kNone) {
    return with_kind(op.kind, [&](auto kind) {
      return with_storage(p.out.type, [&](auto zero) -> Prepared {
        using K = MapsKernel<decltype(zero), kind()>;
        return std::unique_ptr<Kernel>(std::make_unique<K>(p.in[0].quant, p.in[1].quant, p.out.quant));
      });
    });
  }
  Result<Spread> constant = spread(p, p.graph.constants[size_t(op.constant)]);
  if (!constant) return constant.error();
  return with_kind(op.kind, [&](auto kind) -> Prepared {
    if (p.out.type == DType::u8 && constant->per_channel()) {
      std::vector<ByteTable> tables;
      for (int c = 0; c < (constant->step_c ? p.out.channels : 1); ++c) {
        const float k = constant->values[size_t(c)];
        tables.push_back(byte_table(p.in[0].quant, p.out.quant, [&](float v) {
          return op.constant_first ? apply<kind()>(k, v) : apply<kind()>(v, k);
        }));
      }
      return table_kernel(std::move(tables));
    }
    return with_storage(p.out.type, [&](auto zero) -> Prepared {
      using K = ConstantKernel<decltype(zero), kind()>;
      return std::unique_ptr<Kernel>(
          std::make_unique<K>(std::move(*constant), op.constant_first, p.in[0].quant, p.out.quant));
    });
  });
}

}  // namespace fye
