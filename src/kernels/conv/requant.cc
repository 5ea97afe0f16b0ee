#include "kernels/conv/requant.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fye {
namespace {

using Kind = Activation::Kind;

bool is_clamp(Kind kind) { return kind == Kind::none || kind == Kind::relu || kind == Kind::clip; }
bool is_slope(Kind kind) { return kind == Kind::leaky_relu || kind == Kind::prelu; }

struct Levels {
  int lo = 0, hi = 255;
};
constexpr Levels kWide{-32768, 32767};

// sat(rne(bound / s) + z); infinite bounds saturate.
int level(float bound, const Quant& quant, const Levels& all) {
  const float steps = std::clamp(bound / quant.scale, -65536.f, 65536.f);
  return std::clamp(int(std::nearbyint(steps)) + quant.zero, all.lo, all.hi);
}

Levels levels_of(const Activation& act, const Quant& quant, const Levels& all) {
  if (act.kind == Kind::relu) return {quant.zero, all.hi};
  if (act.kind == Kind::clip) return {level(act.lo, quant, all), level(act.hi, quant, all)};
  return all;
}

// The largest |acc| that any u8 input can give, per output channel.
std::vector<double> accumulator_bound(const ConvProblem& p) {
  std::vector<double> bound(p.out_channels);
  const size_t taps = p.weight_q.size() / p.out_channels;
  const int far = std::max(p.in.zero, 255 - p.in.zero);
  for (int c = 0; c < p.out_channels; ++c) {
    bound[c] = std::abs(double(p.bias_q[c]));
    for (size_t k = 0; k < taps; ++k) bound[c] += double(far) * std::abs(p.weight_q[c * taps + k]);
  }
  return bound;
}

}  // namespace

std::string_view requant_refusal(const ConvProblem& p) {
  if (!is_clamp(p.act.kind) && !is_slope(p.act.kind)) return "int8 fuses no tanh or sigmoid";
  if (!is_clamp(p.post.kind)) return "int8 fuses only relu and clip after a residual";
  if (p.residual && is_clamp(p.act.kind) && p.act.kind != Kind::none)
    return "int8 fuses no relu or clip between a convolution and its residual";
  if (p.wide && p.residual && p.residual_repeat != 1) return "a 16-bit residual is not repeated";
  return {};
}

Requant requant_of(const ConvProblem& p) {
  Requant r;
  r.z = p.out.zero;
  r.has_slope = is_slope(p.act.kind);
  for (int c = 0; c < p.out_channels; ++c) {
    const float product = p.in.scale * p.weight_scale[c];
    const float m = product / p.out.scale;
    r.positive.push_back(m);
    r.negative.push_back(r.has_slope ? m * p.act.slope[p.act.slope.size() == 1 ? 0 : c] : m);
  }
  if (p.residual && !p.wide) {
    r.b = p.res.scale / p.out.scale;
    r.z_res = p.res.zero;
  }
  const Levels all = p.wide ? kWide : Levels{};
  const Levels act = levels_of(p.act, p.out, all), post = levels_of(p.post, p.out, all);
  r.lo = std::clamp(act.lo, post.lo, post.hi);
  r.hi = std::clamp(act.hi, post.lo, post.hi);
  const std::vector<double> bound = accumulator_bound(p);
  r.bounded = true;
  for (int c = 0; c < p.out_channels; ++c) {
    const double m = std::max(std::abs(r.positive[c]), std::abs(r.negative[c]));
    r.bounded = r.bounded && bound[c] * m + 255.0 * std::abs(r.b) < 0x1p30;
  }
  return r;
}

std::vector<int32_t> accumulator_start(const ConvProblem& p) {
  std::vector<int32_t> start(p.out_channels);
  const size_t taps = p.weight_q.size() / p.out_channels;
  for (int c = 0; c < p.out_channels; ++c) {
    int64_t sum = 0;
    for (size_t k = 0; k < taps; ++k) sum += p.weight_q[c * taps + k];
    start[c] = int32_t(p.bias_q[c] - p.in.zero * sum);
  }
  return start;
}

uint8_t requantise(const Requant& r, int c, int32_t acc, int residual_level) {
  float v = float(acc) * (acc < 0 ? r.negative[c] : r.positive[c]);
  if (r.b != 0) {
    const float add = r.b * float(residual_level - r.z_res);
    v = v + add;
  }
  v = std::clamp(v, float(r.lo - r.z), float(r.hi - r.z));
  return uint8_t(int(std::nearbyint(v)) + r.z);
}

int16_t requantise_wide(const Requant& r, int c, int32_t acc, int residual) {
  const float v = float(acc) * (acc < 0 ? r.negative[c] : r.positive[c]);
  const int q = int(std::nearbyint(std::clamp(v, float(kWide.lo), float(kWide.hi))));
  return int16_t(std::clamp(q + residual, r.lo, r.hi));  // lo and hi lie within s16
}

}  // namespace fye
