// Each call copies its rows into oneDNN's dense layout, runs one primitive made for that shape, and applies
// what oneDNN can't fuse. oneDNN chooses its algorithm by shape, so results may differ in the last bits
// between tile sizes: never used in tiled runs. int8: oneDNN adds zero points before rounding and the bias in
// float, against our contract, so it computes the bare s32 sums, which it passes through float; refused where
// they could exceed 2^24. Written for the v2 API (Debian's 2.6.3).
#include "kernels/conv/onednn.h"

#include <dlfcn.h>

#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "kernels/conv/activation.h"
#include "kernels/convert/number.h"
#include "kernels/conv/requant.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace fye {
namespace {

using dnnl::memory;
using Types = memory::data_type;

Types storage_type(Numbers numbers) {
  return numbers == Numbers::f32 ? Types::f32 : numbers == Numbers::bf16 ? Types::bf16 : Types::u8;
}

// While it lives oneDNN's OpenMP has one thread here; ours are enough. The setting belongs to the calling thread, which may
// be the user's of a library, so it is put back. OpenMP is asked for by its file: where a program has loaded us as a
// plug-in (Python does), its names are not among the process's.
class OneThread {
 public:
  OneThread() : before_(get_ ? get_() : 0) {
    if (set_) set_(1);
  }
  ~OneThread() {
    if (set_ && before_ > 0) set_(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  static void* named(const char* name) {
    void* library = dlopen("libgomp.so.1", RTLD_LAZY | RTLD_NOLOAD);
    return library ? dlsym(library, name) : dlsym(RTLD_DEFAULT, name);
  }
  inline static const auto set_ = reinterpret_cast<void (*)(int)>(named("omp_set_num_threads"));
  inline static const auto get_ = reinterpret_cast<int (*)()>(named("omp_get_max_threads"));
  int before_;
};

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// relu alone is fused; everything else is applied to the float sums.
bool fuses_relu(const ConvProblem& p, Numbers numbers) {
  return numbers == Numbers::f32 && p.act.kind == Activation::Kind::relu && !p.residual;
}

struct Extent {
  int in_h, in_w, out_h, out_w;
};
Extent extent(const ConvProblem& p, int rows, int width) {
  return {(rows - 1) * p.stride_h + (p.kernel_h - 1) * p.dilation_h + 1,
          (width - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1, rows, width};
}

memory::desc weights_desc(const ConvProblem& p, Types type, memory::format_tag plain,
                          memory::format_tag grouped) {
  const int g = p.group, oc = p.out_channels / g, ic = p.in_channels / g;
  if (g == 1) return {{oc, ic, p.kernel_h, p.kernel_w}, type, plain};
  return {{g, oc, ic, p.kernel_h, p.kernel_w}, type, grouped};
}

dnnl::convolution_forward::primitive_desc describe(const ConvProblem& p, Numbers numbers, const Extent& e) {
  const bool int8 = numbers == Numbers::int8;
  const Types type = storage_type(numbers);
  const memory::desc in({1, p.in_channels, e.in_h, e.in_w}, type, memory::format_tag::nhwc);
  const memory::desc out({1, p.out_channels, e.out_h, e.out_w}, int8 ? Types::s32 : Types::f32,
                         memory::format_tag::nhwc);
  const memory::desc weights =
      weights_desc(p, int8 ? Types::s8 : type, memory::format_tag::any, memory::format_tag::any);
  const memory::dims stride = {p.stride_h, p.stride_w}, dilation = {p.dilation_h - 1, p.dilation_w - 1},
                     none = {0, 0};
  dnnl::primitive_attr attributes;
  if (fuses_relu(p, numbers)) {
    dnnl::post_ops ops;
    ops.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
    attributes.set_post_ops(ops);
  }
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto algorithm = dnnl::algorithm::convolution_direct;
  using Desc = dnnl::convolution_forward::desc;
  if (int8) return {Desc(kind, algorithm, in, weights, out, stride, dilation, none, none), attributes, cpu()};
  const memory::desc bias({p.out_channels}, Types::f32, memory::format_tag::x);
  return {Desc(kind, algorithm, in, weights, bias, out, stride, dilation, none, none), attributes, cpu()};
}

// A primitive for one shape, with its weights in the order it wants.
struct Prepared {
  dnnl::convolution_forward::primitive_desc desc;
  dnnl::convolution_forward primitive;
  memory weights;
};

class OnednnKernel : public Kernel {
 public:
  OnednnKernel(const ConvProblem& problem, Numbers numbers) : p_(problem), numbers_(numbers) {
    if (numbers == Numbers::int8) {
      requant_ = requant_of(p_);
      start_ = accumulator_start(p_);
    }
  }

  void rows(std::span<const Map> in, const Map& out, int y0, int y1) const override {
    if (y0 >= y1 || out.region.w == 0) return;
    const OneThread here;
    const Extent e = extent(p_, y1 - y0, out.region.w);
    const Prepared& prepared = prepared_for(e);
    dnnl::stream stream(cpu());
    memory source(prepared.desc.src_desc(), cpu()), sums(prepared.desc.dst_desc(), cpu());
    copy_in(in[0], out, y0, e, static_cast<std::byte*>(source.get_data_handle()));
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, prepared.weights}, {DNNL_ARG_DST, sums}};
    if (numbers_ != Numbers::int8) {
      const memory::desc bias({p_.out_channels}, Types::f32, memory::format_tag::x);
      arguments.emplace(DNNL_ARG_BIAS, memory(bias, cpu(), const_cast<float*>(p_.bias.data())));
    }
    prepared.primitive.execute(stream, arguments);
    stream.wait();
    for (int y = y0; y < y1; ++y)
      for (int x = 0; x < e.out_w; ++x)
        finish(in, out, y, out.region.x + x, sums.get_data_handle(),
               (size_t(y - y0) * e.out_w + x) * p_.out_channels);
  }
  std::string_view variant() const override { return "onednn"; }

 private:
  void copy_in(const Map& in, const Map& out, int y0, const Extent& e, std::byte* to) const {
    const size_t pixel = size_t(p_.in_channels) * size_of(in.type),
                 pitch = size_t(in.pitch) * size_of(in.type);
    const int top = y0 * p_.stride_h - p_.pad_top, left = out.region.x * p_.stride_w - p_.pad_left;
    for (int y = 0; y < e.in_h; ++y) {
      const std::byte* from =
          in.origin + (top + y - in.region.y) * in.row_bytes + (left - in.region.x) * ptrdiff_t(pitch);
      if (pitch == pixel) {
        std::memcpy(to, from, pixel * e.in_w);
        to += pixel * e.in_w;
        continue;
      }
      for (int x = 0; x < e.in_w; ++x, to += pixel) std::memcpy(to, from + x * pitch, pixel);
    }
  }

  void finish(std::span<const Map> in, const Map& out, int y, int x, const void* sums, size_t at) const {
    if (numbers_ == Numbers::int8)
      finish_int8(in, out, y, x, static_cast<const int32_t*>(sums) + at);
    else if (numbers_ == Numbers::bf16)
      finish_float(in, y, x, static_cast<const float*>(sums) + at, out.at<uint16_t>(y, x), out.pitch);
    else
      finish_float(in, y, x, static_cast<const float*>(sums) + at, out.at<float>(y, x), out.pitch);
  }

  template <class T>
  void finish_float(std::span<const Map> in, int y, int x, const float* sums, T* to, int pitch) const {
    const bool done = fuses_relu(p_, numbers_) && p_.post.kind == Activation::Kind::none;
    if constexpr (sizeof(T) == 4)
      if (done) {
        std::memcpy(to, sums, sizeof(float) * p_.out_channels);
        std::fill(to + p_.out_channels, to + pitch, T(0));
        return;
      }
    for (int c = 0; c < p_.out_channels; ++c) {
      float v = activate(p_.act, sums[c], c);
      if (p_.residual) {
        const T r = in[1].at<const T>(y, x)[residual_channel(p_, c)];
        if constexpr (sizeof(T) == 2)
          v += to_float(Bf16{r});
        else
          v += r;
      }
      v = activate(p_.post, v, c);
      if constexpr (sizeof(T) == 2)
        to[c] = to_bf16(v).bits;
      else
        to[c] = v;
    }
    std::fill(to + p_.out_channels, to + pitch, T(0));
  }

  void finish_int8(std::span<const Map> in, const Map& out, int y, int x, const int32_t* sums) const {
    uint8_t* to = out.at<uint8_t>(y, x);
    for (int c = 0; c < p_.out_channels; ++c) {
      const int32_t acc = int32_t(uint32_t(sums[c]) + uint32_t(start_[c]));
      const int level = p_.residual ? in[1].at<const uint8_t>(y, x)[residual_channel(p_, c)] : requant_.z_res;
      to[c] = requantise(requant_, c, acc, level);
    }
    std::fill(to + p_.out_channels, to + out.pitch, uint8_t(0));
  }

  const Prepared& prepared_for(const Extent& e) const {
    const std::lock_guard lock(mutex_);
    auto [at, is_new] = made_.try_emplace({e.out_h, e.out_w});
    if (is_new) {
      Prepared& made = at->second;
      made.desc = describe(p_, numbers_, e);
      made.primitive = dnnl::convolution_forward(made.desc);
      made.weights = memory(made.desc.weights_desc(), cpu());
      const bool int8 = numbers_ == Numbers::int8;
      const memory::desc ours = weights_desc(p_, int8 ? Types::s8 : Types::f32, memory::format_tag::oihw,
                                             memory::format_tag::goihw);
      const void* values = int8 ? static_cast<const void*>(p_.weight_q.data()) : p_.weight.data();
      memory given(ours, cpu(), const_cast<void*>(values));
      dnnl::stream stream(cpu());
      dnnl::reorder(given, made.weights).execute(stream, given, made.weights);
      stream.wait();
    }
    return at->second;
  }

  ConvProblem p_;
  Numbers numbers_;
  Requant requant_;
  std::vector<int32_t> start_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<int, int>, Prepared> made_;  // by rows and width
};

std::string_view refuses(const ConvProblem& p, Numbers numbers) {
  try {
    describe(p, numbers, extent(p, 1, 16));
  } catch (const dnnl::error&) {
    return "oneDNN has no implementation of it";
  }
  return {};
}

}  // namespace

std::string_view onednn_refuses_f32(const ConvProblem& p) { return refuses(p, Numbers::f32); }
std::string_view onednn_refuses_bf16(const ConvProblem& p) { return refuses(p, Numbers::bf16); }
std::string_view onednn_refuses_int8(const ConvProblem& p) {
  if (std::string_view why = requant_refusal(p); !why.empty()) return why;
  if (p.wide) return "16-bit outputs are left to our own kernels";
  const size_t taps = p.weight_q.size() / p.out_channels;
  for (int c = 0; c < p.out_channels; ++c) {
    int64_t sum = 0;
    for (size_t k = 0; k < taps; ++k) sum += 255 * std::abs(p.weight_q[c * taps + k]);
    if (sum > 1 << 24) return "oneDNN's sums pass through float, which is exact to 2^24";
  }
  return refuses(p, Numbers::int8);
}

std::unique_ptr<Kernel> prepare_onednn_f32(const ConvProblem& problem) {
  return std::make_unique<OnednnKernel>(problem, Numbers::f32);
}
std::unique_ptr<Kernel> prepare_onednn_bf16(const ConvProblem& problem) {
  return std::make_unique<OnednnKernel>(problem, Numbers::bf16);
}
std::unique_ptr<Kernel> prepare_onednn_int8(const ConvProblem& problem) {
  return std::make_unique<OnednnKernel>(problem, Numbers::int8);
}

}  // namespace fye
