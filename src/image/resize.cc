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

// Colours times alpha, in float.
template <class Sample>
void premultiply(const Sample* in, int width, int channels, float* out) {
  const float top = sizeof(Sample) == 1 ? 255.0f : 65535.0f;
  const bool alpha = channels % 2 == 0;
  const int colours = alpha ? channels - 1 : channels;
  for (int x = 0; x < width; ++x, in += channels, out += channels) {
    const float scale = alpha ? in[colours] / top : 1.0f;
    for (int c = 0; c < colours; ++c) out[c] = in[c] * scale;
    if (alpha) out[colours] = in[colours];
  }
}

template <class Sample>
void unmultiply(const float* in, int width, int channels, Sample* out) {
  const float top = sizeof(Sample) == 1 ? 255.0f : 65535.0f;
  const bool has_alpha = channels % 2 == 0;
  const int colours = has_alpha ? channels - 1 : channels;
  const auto finish = [top](float value) {
    return static_cast<Sample>(std::nearbyint(std::clamp(value, 0.0f, top)));
  };
  for (int x = 0; x < width; ++x, in += channels, out += channels) {
    // Not clamped: colour and alpha overshoot together, and their quotient stays a colour of the picture.
    const float alpha = has_alpha ? in[colours] / top : 1.0f;
    for (int c = 0; c < colours; ++c) out[c] = alpha > 0 ? finish(in[c] / alpha) : Sample(0);
    if (has_alpha) out[colours] = finish(in[colours]);
  }
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

struct BicubicRows::State {
  int width, channels, bits, out_width, out_height;
  Taps<float> down, across;
  std::vector<int> first, last;  // rows that each row of the result is made of
  int capacity = 0;              // rows held
  std::vector<float> rows;       // row r at r % capacity, premultiplied
  std::vector<float> sum, made;
  int count = 0, done = 0;

  const float* row(int r) const { return &rows[size_t(r % capacity) * width * channels]; }
};

BicubicRows::BicubicRows(int width, int height, int channels, int bits, int out_width, int out_height)
    : state_(new State{width,
                       channels,
                       bits,
                       out_width,
                       out_height,
                       make_taps<float>(height, out_height, Edge::clamp),
                       make_taps<float>(width, out_width, Edge::clamp),
                       {},
                       {},
                       0,
                       {},
                       {},
                       {},
                       0,
                       0}) {
  State& s = *state_;
  for (int i = 0; i < out_height; ++i) {
    const auto begin = s.down.index.begin() + ptrdiff_t(i) * s.down.count, end = begin + s.down.count;
    s.first.push_back(*std::min_element(begin, end));
    s.last.push_back(*std::max_element(begin, end));
    s.capacity = std::max(s.capacity, s.last.back() - s.first.back() + 1);
  }
  s.rows.resize(size_t(s.capacity) * width * channels);
  s.sum.resize(size_t(width) * channels);
  s.made.resize(size_t(out_width) * channels);
}
BicubicRows::BicubicRows(BicubicRows&&) noexcept = default;
BicubicRows::~BicubicRows() = default;

int BicubicRows::rows_before(int y) const { return state_->last[size_t(y)] + 1; }
int BicubicRows::added() const { return state_->count; }

int64_t BicubicRows::bytes() const {
  const State& s = *state_;
  const size_t taps = s.down.index.size() + s.across.index.size();
  return int64_t((s.rows.size() + s.sum.size() + s.made.size()) * sizeof(float) +
                 taps * (sizeof(int) + sizeof(float)));
}

void BicubicRows::add(const uint8_t* row) {
  State& s = *state_;
  float* to = &s.rows[size_t(s.count++ % s.capacity) * s.width * s.channels];
  if (s.bits == 16)
    premultiply(reinterpret_cast<const uint16_t*>(row), s.width, s.channels, to);
  else
    premultiply(row, s.width, s.channels, to);
}

bool BicubicRows::next(uint8_t* row) {
  State& s = *state_;
  if (s.done == s.out_height || rows_before(s.done) > s.count) return false;
  std::fill(s.sum.begin(), s.sum.end(), 0.f);
  for (int p = 0; p < s.down.count; ++p) {
    const size_t tap = size_t(s.done) * s.down.count + p;
    const float weight = s.down.weight[tap];
    if (weight == 0) continue;
    const float* from = s.row(s.down.index[tap]);
    for (size_t x = 0; x < s.sum.size(); ++x) s.sum[x] += weight * from[x];
  }
  ++s.done;
  resample_columns(s.sum.data(), s.width, s.channels, s.across, 1, s.out_width, s.made.data(), as_is<float>);
  if (s.bits == 16)
    unmultiply(s.made.data(), s.out_width, s.channels, reinterpret_cast<uint16_t*>(row));
  else
    unmultiply(s.made.data(), s.out_width, s.channels, row);
  return true;
}

Picture resample_bicubic(const Picture& picture, int width, int height) {
  if (width == picture.width && height == picture.height && !picture.has_alpha()) return picture;
  Picture result(width, height, picture.channels, picture.bits);
  BicubicRows rows(picture.width, picture.height, picture.channels, picture.bits, width, height);
  const size_t in_row = picture.bytes.size() / size_t(picture.height),
               out_row = result.bytes.size() / size_t(height);
  uint8_t* to = result.bytes.data();
  for (int y = 0; y < picture.height; ++y) {
    rows.add(picture.bytes.data() + size_t(y) * in_row);
    while (rows.next(to)) to += out_row;
  }
  result.metadata = picture.metadata;
  return result;
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
