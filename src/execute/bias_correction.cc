#include "execute/bias_correction.h"

#include <algorithm>

#include "kernels/convert/convert.h"

namespace fye {
namespace {

// What the quantised tensor stands for: the map through u8 and back, row by row.
class Rounding {
 public:
  Rounding(const Map& values, const Quant& quant)
      : values_(values), bytes_(elements() + kSlack), floats_(elements() + kSlack), quant_(quant) {}

  const float* row(int y) {
    const Map as_u8 = one_row(y, DType::u8, bytes_.data(), 1),
              as_f32 = one_row(y, DType::f32, floats_.data(), 4);
    convert_rows(values_, as_u8, y, y + 1, Isa::scalar);
    convert_rows(as_u8, as_f32, y, y + 1, Isa::scalar);
    return floats_.data();
  }

 private:
  static constexpr size_t kSlack = 256;  // readable bytes past the end of a map
  size_t elements() const { return size_t(values_.region.w) * values_.channels; }
  Map one_row(int y, DType type, void* memory, int size) const {
    Map map = values_;
    map.type = type;
    map.quant = quant_;
    map.pitch = map.channels;
    map.margin = 0;
    map.region = {y, values_.region.x, 1, values_.region.w};
    map.row_bytes = ptrdiff_t(elements()) * size;
    map.origin = static_cast<std::byte*>(memory);
    return map;
  }

  const Map& values_;
  std::vector<uint8_t> bytes_;
  std::vector<float> floats_;
  Quant quant_;
};

// Places read by one tap: first, first + step, ... below end.
struct Places {
  int first, end, step;
};

// The places `out * stride + offset` of 0 <= out < outputs that lie in [0, size).
Places places_of(int size, int offset, int stride, int outputs) {
  const int skipped = offset < 0 ? (-offset + stride - 1) / stride : 0;
  return {offset + skipped * stride, std::min(size, offset + (outputs - 1) * stride + 1), stride};
}

// Adds up the pixels of one row.
class RowSums {
 public:
  RowSums(const float* row, int pitch, int channels, int width)
      : row_(row), pitch_(pitch), channels_(channels), width_(width), all_(size_t(channels)) {
    for (int x = 0; x < width; ++x) add(x, 1, all_.data());
  }

  // The sum over `places` onto sums[channels]; without steps, from the whole row's sum and its ends.
  void add_places(const Places& places, double* sums) const {
    if (places.step > 1) {
      for (int x = places.first; x < places.end; x += places.step) add(x, 1, sums);
      return;
    }
    if (places.first >= places.end) return;
    for (int c = 0; c < channels_; ++c) sums[c] += all_[size_t(c)];
    for (int x = 0; x < places.first; ++x) add(x, -1, sums);
    for (int x = places.end; x < width_; ++x) add(x, -1, sums);
  }

 private:
  void add(int x, double sign, double* sums) const {
    const float* pixel = row_ + ptrdiff_t(x) * pitch_;
    for (int c = 0; c < channels_; ++c) sums[c] += sign * pixel[c];
  }

  const float* row_;
  int pitch_, channels_, width_;
  std::vector<double> all_;
};

int outputs_of(int in, int before, int after, int kernel, int dilation, int stride) {
  return (in + before + after - (kernel - 1) * dilation - 1) / stride + 1;
}

}  // namespace

BiasCorrection::BiasCorrection(const Graph& graph, const Calib& calib)
    : graph_(graph), calib_(calib), sums_(graph.nodes.size()) {}

void BiasCorrection::see(TensorId tensor, const Map& values) {
  const int height = values.region.h, width = values.region.w, channels = values.channels;
  struct Reader {
    const Conv& conv;
    Sums& sums;
    int rows, columns;
  };
  std::vector<Reader> readers;
  for (const int n : graph_.consumers(tensor)) {
    const Conv* conv = graph_.nodes[size_t(n)].as<Conv>();
    if (!conv || graph_.nodes[size_t(n)].inputs[0] != tensor) continue;
    const int rows =
        outputs_of(height, conv->pad_top, conv->pad_bottom, conv->kernel_h, conv->dilation_h, conv->stride_h);
    const int columns =
        outputs_of(width, conv->pad_left, conv->pad_right, conv->kernel_w, conv->dilation_w, conv->stride_w);
    Sums& sums = sums_[size_t(n)];
    sums.positions += double(rows) * columns;
    sums.real.resize(size_t(conv->kernel_h) * conv->kernel_w * channels);
    sums.rounded.resize(sums.real.size());
    readers.push_back({*conv, sums, rows, columns});
  }
  if (readers.empty()) return;
  Rounding rounding(values, calib_.tensors.at(graph_.tensors[size_t(tensor)].name));
  for (int y = 0; y < height; ++y) {
    const RowSums real(values.at<const float>(values.region.y + y, values.region.x), values.pitch, channels,
                       width);
    const RowSums rounded(rounding.row(values.region.y + y), channels, channels, width);
    for (const auto& [conv, sums, rows, columns] : readers)
      for (int ky = 0; ky < conv.kernel_h; ++ky) {
        const Places read = places_of(height, ky * conv.dilation_h - conv.pad_top, conv.stride_h, rows);
        if (y < read.first || y >= read.end || (y - read.first) % read.step) continue;
        for (int kx = 0; kx < conv.kernel_w; ++kx) {
          const Places places =
              places_of(width, kx * conv.dilation_w - conv.pad_left, conv.stride_w, columns);
          const size_t tap = (size_t(ky) * conv.kernel_w + kx) * channels;
          real.add_places(places, sums.real.data() + tap);
          rounded.add_places(places, sums.rounded.data() + tap);
        }
      }
  }
}

std::map<std::string, WeightQuant> BiasCorrection::corrected() const {
  std::map<std::string, WeightQuant> weights = calib_.weights;
  for (size_t n = 0; n < sums_.size(); ++n) {
    const Sums& sums = sums_[n];
    const Node& node = graph_.nodes[n];
    const auto found = weights.find(node.name);
    if (sums.positions == 0 || found == weights.end()) continue;
    const Conv& conv = *node.as<Conv>();
    const Constant& exact = graph_.constants[size_t(conv.weight)];
    WeightQuant& quantised = found->second;
    const int outputs = int(exact.shape[0]), per_group = int(exact.shape[1]);
    const size_t taps = size_t(conv.kernel_h) * conv.kernel_w, channels = sums.real.size() / taps;
    size_t w = 0;
    for (int oc = 0; oc < outputs; ++oc) {
      const size_t first = size_t(oc / (outputs / conv.group) * per_group);
      double error = 0;
      for (int ic = 0; ic < per_group; ++ic)
        for (size_t tap = 0; tap < taps; ++tap, ++w) {
          const size_t at = tap * channels + first + size_t(ic);
          error += double(exact.values[w]) * sums.real[at] -
                   double(quantised.scale[size_t(oc)]) * quantised.values[w] * sums.rounded[at];
        }
      quantised.bias[size_t(oc)] += float(error / sums.positions);
    }
  }
  return weights;
}

}  // namespace fye
