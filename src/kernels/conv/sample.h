// Random convolution problems and maps in memory, for the family's test and benchmark.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "base/buffer.h"
#include "kernels/convert/number.h"
#include "kernels/conv/conv.h"

namespace fye {

// A k x k convolution that keeps the size.
inline ConvProblem square(int in_channels, int out_channels, int k) {
  return {.kernel_h = k,
          .kernel_w = k,
          .pad_top = k / 2,
          .pad_left = k / 2,
          .in_channels = in_channels,
          .out_channels = out_channels};
}

// A map and its memory.
struct SampleMap {
  Buffer memory;
  Map map;
  size_t bytes = 0;
};

// Every byte is 0xff: NaN in the float formats, so that a kernel that lets unread memory into a result is
// caught.
inline SampleMap sample_map(DType type, Quant quant, int channels, const Region& region, int margin,
                            int pitch) {
  SampleMap s;
  const ptrdiff_t pixel = ptrdiff_t(pitch) * size_of(type);
  s.map = {
      .type = type, .quant = quant, .channels = channels, .pitch = pitch, .margin = margin, .region = region};
  s.map.row_bytes = (region.w + 2 * margin) * pixel;
  s.bytes = size_t(s.map.row_bytes) * (region.h + 2 * margin);
  s.memory = Buffer(s.bytes);
  std::memset(s.memory.data(), 0xff, s.bytes + kSlack);
  s.map.origin = s.memory.data() + margin * s.map.row_bytes + margin * pixel;
  return s;
}

// Element c of pixel (y, x) as a number: the level of u8 and s16 maps.
inline double element(const Map& map, int y, int x, int c) {
  if (map.type == DType::u8) return map.at<uint8_t>(y, x)[c];
  if (map.type == DType::s16) return map.at<int16_t>(y, x)[c];
  if (map.type == DType::bf16) return to_float(Bf16{map.at<uint16_t>(y, x)[c]});
  return map.at<float>(y, x)[c];
}
inline void set_element(const Map& map, int y, int x, int c, double v) {
  if (map.type == DType::u8)
    map.at<uint8_t>(y, x)[c] = uint8_t(v);
  else if (map.type == DType::s16)
    map.at<int16_t>(y, x)[c] = int16_t(v);
  else if (map.type == DType::bf16)
    map.at<uint16_t>(y, x)[c] = to_bf16(float(v)).bits;
  else
    map.at<float>(y, x)[c] = float(v);
}

// A whole h x w feature map of random values with its padding around it and clean gaps.
inline SampleMap sample_input(DType type, Quant quant, int channels, int h, int w, int margin, int pitch,
                              std::mt19937& random) {
  SampleMap s = sample_map(type, quant, channels, {0, 0, h, w}, margin, pitch);
  const bool wide = type == DType::s16;
  std::uniform_int_distribution<int> levels(wide ? -32768 : 0, wide ? 32767 : 255);
  std::normal_distribution<float> reals;
  const double padding = type == DType::u8 ? quant.zero : 0;
  for (int y = -margin; y < h + margin; ++y)
    for (int x = -margin; x < w + margin; ++x)
      for (int c = 0; c < pitch; ++c) {
        const bool inside = y >= 0 && y < h && x >= 0 && x < w && c < channels;
        const double v = type == DType::u8 || wide ? levels(random) : reals(random);
        set_element(s.map, y, x, c, inside ? v : padding);
      }
  return s;
}

// int8: the same problem with a 16-bit output on a scale that uses most of its levels, and a residual on it.
inline void widen_problem(ConvProblem& p) {
  p.wide = true;
  p.out = {p.out.scale / 64, 0};
  p.res = p.out;
}

// Weights, biases and scales for the sizes and activations already in `p`. Int8 weights reach `weight_limit`,
// and the output scale is such that most levels are used.
inline void fill_problem(ConvProblem& p, int weight_limit, std::mt19937& random) {
  const size_t taps = size_t(p.in_channels / p.group) * p.kernel_h * p.kernel_w;
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> quantised(-weight_limit, weight_limit), bias(-20000, 20000);
  std::uniform_real_distribution<float> scale(0.002f, 0.01f);
  p.weight.resize(taps * p.out_channels);
  p.weight_q.resize(taps * p.out_channels);
  for (float& w : p.weight) w = normal(random) / std::sqrt(float(taps));
  for (int8_t& w : p.weight_q) w = int8_t(quantised(random));
  p.bias.resize(p.out_channels);
  p.bias_q.resize(p.out_channels);
  p.weight_scale.resize(p.out_channels);
  for (float& b : p.bias) b = normal(random);
  for (int32_t& b : p.bias_q) b = bias(random);
  for (float& s : p.weight_scale) s = scale(random);
  p.in.scale = 0.02f;
  p.res.scale = 0.03f;
  p.out.scale = 0.02f * 0.006f * 74 * float(weight_limit) * std::sqrt(float(taps)) / 100;
}

}  // namespace fye
