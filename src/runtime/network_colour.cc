// Tested by upscale_test.cc and network_rows_test.cc.
#include "runtime/network_colour.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/colour.h"

namespace fye {
namespace {

// Studio luma spans 219 of 255 levels; a step of luma is this many steps of each of R, G and B.
constexpr float kLumaToRgb = 255.f / 219.f;

float sample(const uint8_t* in, int bits, size_t i) {
  return bits == 8 ? float(in[i]) : float(reinterpret_cast<const uint16_t*>(in)[i]);
}

// Half to even, saturating; NaN becomes 0.
void store(uint8_t* out, int bits, size_t i, float value) {
  const float v = std::nearbyint(std::clamp(std::isnan(value) ? 0.f : value, 0.f, top_of(bits)));
  if (bits == 8)
    out[i] = uint8_t(v);
  else
    reinterpret_cast<uint16_t*>(out)[i] = uint16_t(v);
}

Map packed(DType type, const void* start, int width, int channels, int first, int count) {
  Map map{.type = type};
  map.channels = map.pitch = channels;
  map.region = {first, 0, count, width};
  map.row_bytes = ptrdiff_t(width) * channels * size_of(type);
  map.origin = static_cast<std::byte*>(const_cast<void*>(start));
  return map;
}

}  // namespace

Map pixel_map(const void* samples, int width, int channels, int bits, float range, int first, int count) {
  Map map = packed(bits == 8 ? DType::u8 : DType::u16, samples, width, channels, first, count);
  map.quant = {bits == 8 ? range / 255 : range / 65535, 0};
  return map;
}

Map float_map(const void* values, int width, int channels, int first, int count) {
  return packed(DType::f32, values, width, channels, first, count);
}

void grey_to_rgb(const uint8_t* grey, int bits, size_t pixels, uint8_t* rgb) {
  for (size_t i = 0; i < pixels; ++i)
    for (size_t c = 0; c < 3; ++c) {
      if (bits == 8)
        rgb[3 * i + c] = grey[i];
      else
        reinterpret_cast<uint16_t*>(rgb)[3 * i + c] = reinterpret_cast<const uint16_t*>(grey)[i];
    }
}

void rgb_to_grey(const uint8_t* rgb, int bits, size_t pixels, uint8_t* grey) {
  for (size_t i = 0; i < pixels; ++i)
    store(grey, bits, i,
          (sample(rgb, bits, 3 * i) + sample(rgb, bits, 3 * i + 1) + sample(rgb, bits, 3 * i + 2)) / 3);
}

void to_range(const uint8_t* in, int bits, size_t samples, float lo, float range, float* out) {
  const float step = range / top_of(bits);
  for (size_t i = 0; i < samples; ++i) out[i] = lo + step * sample(in, bits, i);
}

void from_range(const float* in, int bits, size_t samples, float lo, float range, uint8_t* out) {
  const float step = range / top_of(bits);
  for (size_t i = 0; i < samples; ++i) store(out, bits, i, (in[i] - lo) / step);
}

void luma_to_range(const uint8_t* in, int channels, int bits, size_t pixels, float lo, float range,
                   float* out) {
  std::vector<double> y(pixels);
  luma_of(in, channels, bits, pixels, y.data());
  const float step = range / 255;
  for (size_t i = 0; i < pixels; ++i) out[i] = lo + step * float(y[i]);
}

void with_luma(const float* luma, const uint8_t* enlarged, int channels, int bits, size_t pixels, float lo,
               float range, uint8_t* out) {
  std::vector<double> y(pixels);
  luma_of(enlarged, channels, bits, pixels, y.data());
  const float step = range / 255;
  const float level = top_of(bits) / 255 * kLumaToRgb;
  for (size_t i = 0; i < pixels; ++i) {
    const float change = level * ((luma[i] - lo) / step - float(y[i]));
    for (int c = 0; c < channels; ++c) {
      const size_t at = i * size_t(channels) + size_t(c);
      store(out, bits, at, sample(enlarged, bits, at) + change);
    }
  }
}

}  // namespace fye
