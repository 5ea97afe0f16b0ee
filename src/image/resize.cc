// One axis at a time, the vertical one first. Each output sample has its own taps: position, weights
// normalised to 1. Shrinking widens the kernel by 1/scale (antialiasing). Tested by resize_test.cc and
// tests/oracle/quality_oracle.py.
#include "image/resize.h"

#include <algorithm>
#include <cmath>

namespace fye {
namespace {

// Keys' cubic convolution kernel with a = -0.5 (IEEE Trans. ASSP 29(6), 1981).
double cubic(double x) {
  const double a = std::abs(x);
  if (a <= 1) return 1.5 * a * a * a - 2.5 * a * a + 1;
  if (a <= 2) return -0.5 * a * a * a + 2.5 * a * a - 4 * a + 2;
  return 0;
}

enum class Edge { clamp, reflect };

int inside(int64_t index, int n, Edge edge) {
  if (edge == Edge::clamp) return static_cast<int>(std::clamp<int64_t>(index, 0, n - 1));
  index %= 2 * int64_t(n);
  if (index < 0) index += 2 * int64_t(n);
  return static_cast<int>(index < n ? index : 2 * int64_t(n) - 1 - index);
}

// For output i the sum over p < count of weight[i * count + p] * in[index[i * count + p]].
template <class Real>
struct Taps {
  int count = 0;
  std::vector<int> index;
  std::vector<Real> weight;
};

// `n` samples in, `m` out; the formulas and their names are those of spec/metrics.md, section 7 (indices from
// 1).
template <class Real>
Taps<Real> make_taps(int n, int m, Edge edge) {
  const double s = double(m) / n;
  const double k = std::min(s, 1.0);
  Taps<Real> taps;
  taps.count = static_cast<int>(std::ceil(4 / k)) + 2;
  taps.index.reserve(size_t(m) * taps.count);
  taps.weight.reserve(size_t(m) * taps.count);
  std::vector<double> weight(taps.count);
  for (int i = 1; i <= m; ++i) {
    const double u = i / s + 0.5 * (1 - 1 / s);
    const double left = std::floor(u - 2 / k);
    double sum = 0;
    for (int p = 0; p < taps.count; ++p) sum += weight[p] = cubic((u - (left + p)) * k);
    for (int p = 0; p < taps.count; ++p) {
      taps.index.push_back(inside(static_cast<int64_t>(left) + p - 1, n, edge));
      taps.weight.push_back(static_cast<Real>(weight[p] / sum));
    }
  }
  return taps;
}

// Rows of `width` values each: out row i = weighted rows of `in`, then finish(value). Zero weights add
// nothing.
template <class In, class Real, class Out, class Finish>
void resample_rows(const In* in, int64_t width, const Taps<Real>& taps, int rows_out, Out* out,
                   Finish finish) {
  std::vector<Real> sum(width);
  for (int i = 0; i < rows_out; ++i) {
    std::fill(sum.begin(), sum.end(), Real(0));
    for (int p = 0; p < taps.count; ++p) {
      const Real weight = taps.weight[size_t(i) * taps.count + p];
      if (weight == 0) continue;
      const In* row = in + taps.index[size_t(i) * taps.count + p] * width;
      for (int64_t x = 0; x < width; ++x) sum[x] += weight * static_cast<Real>(row[x]);
    }
    for (int64_t x = 0; x < width; ++x) out[i * width + x] = finish(sum[x]);
  }
}

// The same within each row of `n` pixels of `channels` values.
template <class In, class Real, class Out, class Finish>
void resample_columns(const In* in, int n, int channels, const Taps<Real>& taps, int rows, int columns_out,
                      Out* out, Finish finish) {
  for (int y = 0; y < rows; ++y) {
    const In* row = in + int64_t(y) * n * channels;
    for (int i = 0; i < columns_out; ++i) {
      const int* index = &taps.index[size_t(i) * taps.count];
      const Real* weight = &taps.weight[size_t(i) * taps.count];
      for (int c = 0; c < channels; ++c) {
        Real sum = 0;
        for (int p = 0; p < taps.count; ++p)
          sum += weight[p] * static_cast<Real>(row[int64_t(index[p]) * channels + c]);
        *out++ = finish(sum);
      }
    }
  }
}

uint8_t half_up(double value) {
  return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

template <class Real>
Real as_is(Real value) {
  return value;
}

template <class Sample>
Picture resample_float(const Picture& picture, int width, int height) {
  const float top = sizeof(Sample) == 1 ? 255.0f : 65535.0f;
  const int channels = picture.channels, colours = picture.has_alpha() ? channels - 1 : channels;
  const Sample* in = reinterpret_cast<const Sample*>(picture.bytes.data());
  std::vector<float> values(picture.samples());
  for (size_t at = 0; at < values.size(); at += channels) {
    const float scale = picture.has_alpha() ? in[at + colours] / top : 1.0f;
    for (int c = 0; c < colours; ++c) values[at + c] = in[at + c] * scale;
    if (picture.has_alpha()) values[at + colours] = in[at + colours];
  }

  const auto down = make_taps<float>(picture.height, height, Edge::clamp);
  std::vector<float> middle(size_t(picture.width) * height * channels);
  resample_rows(values.data(), int64_t(picture.width) * channels, down, height, middle.data(), as_is<float>);
  const auto across = make_taps<float>(picture.width, width, Edge::clamp);
  values.assign(size_t(width) * height * channels, 0);
  resample_columns(middle.data(), picture.width, channels, across, height, width, values.data(),
                   as_is<float>);

  Picture result(width, height, channels, picture.bits);
  Sample* out = reinterpret_cast<Sample*>(result.bytes.data());
  const auto finish = [top](float value) {
    return static_cast<Sample>(std::nearbyint(std::clamp(value, 0.0f, top)));
  };
  for (size_t at = 0; at < values.size(); at += channels) {
    // Not clamped: colour and alpha overshoot together, and their quotient stays a colour of the picture.
    const float alpha = picture.has_alpha() ? values[at + colours] / top : 1.0f;
    for (int c = 0; c < colours; ++c) out[at + c] = alpha > 0 ? finish(values[at + c] / alpha) : Sample(0);
    if (picture.has_alpha()) out[at + colours] = finish(values[at + colours]);
  }
  result.metadata = picture.metadata;
  return result;
}

}  // namespace

Picture matlab_bicubic(const Picture& picture, int width, int height) {
  const auto down = make_taps<double>(picture.height, height, Edge::clamp);
  const int64_t row = int64_t(picture.width) * picture.channels;
  std::vector<uint8_t> middle(row * height);
  resample_rows(picture.u8(), row, down, height, middle.data(), half_up);
  Picture result(width, height, picture.channels);
  const auto across = make_taps<double>(picture.width, width, Edge::clamp);
  resample_columns(middle.data(), picture.width, picture.channels, across, height, width, result.u8(),
                   half_up);
  result.metadata = picture.metadata;
  return result;
}

Picture resample_bicubic(const Picture& picture, int width, int height) {
  return picture.bits == 16 ? resample_float<uint16_t>(picture, width, height)
                            : resample_float<uint8_t>(picture, width, height);
}

Plane matlab_bicubic_reflect(const Plane& plane, int width, int height) {
  const auto down = make_taps<double>(plane.height, height, Edge::reflect);
  Plane middle(plane.width, height);
  resample_rows(plane.values.data(), plane.width, down, height, middle.values.data(), as_is<double>);
  Plane result(width, height);
  const auto across = make_taps<double>(plane.width, width, Edge::reflect);
  resample_columns(middle.values.data(), plane.width, 1, across, height, width, result.values.data(),
                   as_is<double>);
  return result;
}

}  // namespace fye
