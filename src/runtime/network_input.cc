#include "runtime/network_input.h"

#include "image/colour.h"
#include "image/resize.h"

namespace fye {
namespace {

NetworkInput empty_input(int width, int height, int channels, DType type, Quant quant) {
  NetworkInput input;
  input.pixels = Buffer(size_t(width) * height * channels * size_of(type));
  input.map = {.type = type, .quant = quant, .channels = channels, .pitch = channels};
  input.map.region = {0, 0, height, width};
  input.map.row_bytes = ptrdiff_t(width) * channels * size_of(type);
  input.map.origin = input.pixels.data();
  return input;
}

// Colour channel c of pixel i as 0..255.
float level(const Picture& picture, size_t i, int c) {
  const size_t at = i * picture.channels + (picture.channels >= 3 ? c : 0);
  return picture.bits == 8 ? float(picture.u8()[at]) : float(picture.u16()[at]) / 257.f;
}

}  // namespace

NetworkInput network_input(const Picture& picture, const Conventions& conventions) {
  if (conventions.bicubic_first) {
    Conventions plain = conventions;
    plain.bicubic_first = false;
    return network_input(
        resample_bicubic(picture, picture.width * conventions.scale, picture.height * conventions.scale),
        plain);
  }
  const float lo = conventions.lo, step = (conventions.hi - conventions.lo) / 255;
  const size_t count = size_t(picture.width) * picture.height;
  if (conventions.colour == Conventions::Colour::y) {
    NetworkInput input = empty_input(picture.width, picture.height, 1, DType::f32, {});
    const Plane y = luma(picture);
    for (size_t i = 0; i < count; ++i) input.pixels.as<float>()[i] = lo + step * float(y.values[i]);
    return input;
  }
  if (lo == 0 && picture.bits == 8) {
    NetworkInput input = empty_input(picture.width, picture.height, 3, DType::u8, {step, 0});
    for (size_t i = 0; i < count; ++i) {
      for (int c = 0; c < 3; ++c) input.pixels.as<uint8_t>()[3 * i + c] = uint8_t(level(picture, i, c));
    }
    return input;
  }
  NetworkInput input = empty_input(picture.width, picture.height, 3, DType::f32, {});
  for (size_t i = 0; i < count; ++i) {
    for (int c = 0; c < 3; ++c) input.pixels.as<float>()[3 * i + c] = lo + step * level(picture, i, c);
  }
  return input;
}

}  // namespace fye
