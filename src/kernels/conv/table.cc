// The table of convolution variants, and the choice from it.
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>

#include "kernels/conv/conv.h"
#include "kernels/conv/depthwise.h"
#include "kernels/conv/direct.h"
#include "kernels/conv/onednn.h"
#include "kernels/conv/portable.h"
#include "kernels/conv/reference.h"
#include "kernels/conv/requant.h"
#include "kernels/conv/test_variants.h"
#include "kernels/conv/winograd.h"

namespace fye {
namespace {

std::string_view nothing(const ConvProblem&) { return {}; }

template <const DirectCode& code>
std::unique_ptr<Kernel> direct(const ConvProblem& problem) {
  return prepare_direct(problem, code);
}

template <const DirectCode& code>
std::string_view depthwise_refusal(const ConvProblem& problem) {
  return depthwise_refuses(problem, code);
}

template <const DirectCode& code>
std::unique_ptr<Kernel> depthwise(const ConvProblem& problem) {
  return prepare_depthwise(problem, code);
}

template <const WinogradCode& code>
std::string_view winograd_refusal(const ConvProblem& problem) {
  return winograd_refuses(problem, code);
}

template <const WinogradCode& code>
std::unique_ptr<Kernel> winograd(const ConvProblem& problem) {
  return prepare_winograd(problem, code);
}

const std::array kVariants = {
    ConvVariant{"scalar", Numbers::f32, Isa::scalar, false, true, nothing, prepare_reference_f32},
    ConvVariant{"scalar", Numbers::bf16, Isa::scalar, false, true, nothing, prepare_reference_bf16},
    ConvVariant{"scalar", Numbers::int8, Isa::scalar, false, true, requant_refusal, prepare_reference_int8},
    ConvVariant{"direct-portable", Numbers::f32, Isa::portable, false, true, direct_refuses_f32,
                direct<kDirectF32Portable>},
    ConvVariant{"winograd-portable", Numbers::f32, Isa::portable, false, true,
                winograd_refusal<kWinogradF32Portable>, winograd<kWinogradF32Portable>, true},
    ConvVariant{"direct-portable", Numbers::int8, Isa::portable, false, true, requant_refusal,
                direct<kDirectInt8Portable>},
    ConvVariant{"winograd-portable", Numbers::int8, Isa::portable, false, true,
                winograd_refusal<kWinogradInt8Portable>, winograd<kWinogradInt8Portable>, true},
#ifdef __x86_64__
    ConvVariant{"direct-avx2", Numbers::f32, Isa::avx2, false, true, direct_refuses_f32,
                direct<kDirectF32Avx2>},
    ConvVariant{"depthwise-avx2", Numbers::f32, Isa::avx2, false, true, depthwise_refusal<kDepthwiseF32Avx2>,
                depthwise<kDepthwiseF32Avx2>},
    ConvVariant{"winograd-avx2", Numbers::f32, Isa::avx2, false, true, winograd_refusal<kWinogradF32Avx2>,
                winograd<kWinogradF32Avx2>, true},
    ConvVariant{"direct-avx512", Numbers::f32, Isa::avx512, false, true, direct_refuses_f32,
                direct<kDirectF32Avx512>},
    ConvVariant{"depthwise-avx512", Numbers::f32, Isa::avx512, false, true,
                depthwise_refusal<kDepthwiseF32Avx512>, depthwise<kDepthwiseF32Avx512>},
    ConvVariant{"winograd-avx512", Numbers::f32, Isa::avx512, false, true,
                winograd_refusal<kWinogradF32Avx512>, winograd<kWinogradF32Avx512>, true},
    ConvVariant{"direct-avx512", Numbers::bf16, Isa::avx512, true, true, direct_refuses_bf16,
                direct<kDirectBf16Avx512>},
    ConvVariant{"depthwise-avx512", Numbers::bf16, Isa::avx512, true, true,
                depthwise_refusal<kDepthwiseBf16Avx512>, depthwise<kDepthwiseBf16Avx512>},
    ConvVariant{"winograd-avx512", Numbers::bf16, Isa::avx512, true, true,
                winograd_refusal<kWinogradBf16Avx512>, winograd<kWinogradBf16Avx512>, true},
    ConvVariant{"tiles-amx", Numbers::bf16, Isa::amx, false, true, direct_refuses_bf16,
                direct<kTilesBf16Amx>},
    ConvVariant{"direct-avx2", Numbers::int8, Isa::avx2, false, true, requant_refusal,
                direct<kDirectInt8Avx2>},
    ConvVariant{"depthwise-avx2", Numbers::int8, Isa::avx2, false, true,
                depthwise_refusal<kDepthwiseInt8Avx2>, depthwise<kDepthwiseInt8Avx2>},
    ConvVariant{"winograd-avx2", Numbers::int8, Isa::avx2, false, true, winograd_refusal<kWinogradInt8Avx2>,
                winograd<kWinogradInt8Avx2>, true},
    ConvVariant{"direct-avx2vnni", Numbers::int8, Isa::avx2vnni, false, true, requant_refusal,
                direct<kDirectInt8Avx2Vnni>},
    ConvVariant{"winograd-avx2vnni", Numbers::int8, Isa::avx2vnni, false, true,
                winograd_refusal<kWinogradInt8Avx2Vnni>, winograd<kWinogradInt8Avx2Vnni>, true},
    ConvVariant{"direct-avx512", Numbers::int8, Isa::avx512, false, true, requant_refusal,
                direct<kDirectInt8Avx512>},
    ConvVariant{"depthwise-avx512", Numbers::int8, Isa::avx512, false, true,
                depthwise_refusal<kDepthwiseInt8Avx512>, depthwise<kDepthwiseInt8Avx512>},
    ConvVariant{"winograd-avx512", Numbers::int8, Isa::avx512, false, true,
                winograd_refusal<kWinogradInt8Avx512>, winograd<kWinogradInt8Avx512>, true},
    ConvVariant{"tiles-amx", Numbers::int8, Isa::amx, false, true, requant_refusal, direct<kTilesInt8Amx>},
#endif
#ifdef FYE_WITH_ONEDNN
    ConvVariant{"onednn", Numbers::f32, Isa::avx2, false, false, onednn_refuses_f32, prepare_onednn_f32},
    ConvVariant{"onednn", Numbers::bf16, Isa::avx512, true, false, onednn_refuses_bf16, prepare_onednn_bf16},
    ConvVariant{"onednn", Numbers::int8, Isa::avx512, false, false, onednn_refuses_int8, prepare_onednn_int8},
#endif
};

#ifdef __x86_64__
const std::array kTestVariants = {
    ConvVariant{"direct-evex256", Numbers::int8, Isa::avx512, false, true, requant_refusal,
                direct<kDirectInt8Evex256>},
    ConvVariant{"winograd-evex256", Numbers::int8, Isa::avx512, false, true,
                winograd_refusal<kWinogradInt8Evex256>, winograd<kWinogradInt8Evex256>, true},
    ConvVariant{"tiles-model", Numbers::int8, Isa::avx512, false, true, requant_refusal,
                direct<kTilesInt8Model>},
    ConvVariant{"tiles-model", Numbers::bf16, Isa::avx512, true, true, direct_refuses_bf16,
                direct<kTilesBf16Model>},
};
#else
const std::array<ConvVariant, 0> kTestVariants;
#endif

// What is wrong with the problem's own sizes, or empty. Weights are checked for the format asked.
std::string mistake_in(const ConvProblem& p, Numbers numbers) {
  const auto want = [](std::string_view what, size_t found, size_t expected) {
    return std::string(what) + " has " + std::to_string(found) + " values, expected " +
           std::to_string(expected);
  };
  if (p.in_channels < 1 || p.out_channels < 1 || p.group < 1) return "channels and groups must be positive";
  if (p.kernel_h < 1 || p.kernel_w < 1 || p.stride_h < 1 || p.stride_w < 1 || p.dilation_h < 1 ||
      p.dilation_w < 1)
    return "kernel, stride and dilation must be positive";
  if (p.in_channels % p.group || p.out_channels % p.group)
    return std::to_string(p.in_channels) + " to " + std::to_string(p.out_channels) +
           " channels don't divide into " + std::to_string(p.group) + " groups";
  if (p.residual && (p.residual_repeat < 1 || p.out_channels % p.residual_repeat))
    return std::to_string(p.out_channels) + " channels are not a residual repeated " +
           std::to_string(p.residual_repeat) + " times";
  const size_t oc = p.out_channels;
  const size_t weights = oc * (p.in_channels / p.group) * p.kernel_h * p.kernel_w;
  for (const Activation* act : {&p.act, &p.post}) {
    const bool slope = act->kind == Activation::Kind::leaky_relu || act->kind == Activation::Kind::prelu;
    if (slope && act->slope.size() != 1 && act->slope.size() != oc)
      return want("slope", act->slope.size(), oc);
    if (act->kind == Activation::Kind::clip && !(act->lo <= act->hi))
      return "clip's bounds are the wrong way round";
  }
  if (numbers != Numbers::int8) {
    if (p.weight.size() != weights) return want("weight", p.weight.size(), weights);
    if (p.bias.size() != oc) return want("bias", p.bias.size(), oc);
    return {};
  }
  if (p.weight_q.size() != weights) return want("int8 weight", p.weight_q.size(), weights);
  if (p.bias_q.size() != oc) return want("int8 bias", p.bias_q.size(), oc);
  if (p.weight_scale.size() != oc) return want("weight scale", p.weight_scale.size(), oc);
  if (!(p.in.scale > 0) || !(p.out.scale > 0) || (p.residual && !(p.res.scale > 0)))
    return "scales must be positive";
  for (float scale : p.weight_scale)
    if (!std::isfinite(p.in.scale * scale / p.out.scale)) return "a requantisation factor is not finite";
  if (p.wide && (p.out.zero != 0 || (p.residual && !(p.res == p.out))))
    return "a 16-bit output has zero point 0, and its residual the same scale";
  for (const Quant& q : {p.in, p.out, p.res})
    if (q.zero < 0 || q.zero > 255) return "zero point " + std::to_string(q.zero) + " is not in 0..255";
  return {};
}

}  // namespace

std::span<const ConvVariant> conv_variants() { return kVariants; }

bool winograd_allowed() {
  static const bool allowed = [] {
    const char* wish = std::getenv("FYE_WINOGRAD");
    return !wish || std::string_view(wish) != "off";
  }();
  return allowed;
}

std::span<const ConvVariant> conv_test_variants() { return kTestVariants; }

Result<std::unique_ptr<Kernel>> prepare_conv(const ConvProblem& problem, Numbers numbers, Isa max) {
  if (std::string mistake = mistake_in(problem, numbers); !mistake.empty())
    return bad_input("convolution: " + mistake);
  const ConvVariant* best = nullptr;
  std::string_view why;
  for (const ConvVariant& v : conv_variants()) {
    if (v.numbers != numbers || !v.position_independent || !may_use(v.isa, max)) continue;
    if (v.winograd && !winograd_allowed()) continue;
    if (v.needs_avx512_bf16 && !machine_has_avx512_bf16()) continue;
    if (std::string_view reason = v.refuses(problem); !reason.empty()) {
      if (v.name == "scalar" || v.name.starts_with("direct")) why = reason;
      continue;
    }
    best = &v;
  }
  if (!best) return bad_input("convolution: " + std::string(why), "keep this layer in f32 (--keep-f32)");
  return best->prepare(problem);
}

}  // namespace fye
