#include "execute/fidelity.h"

#include <algorithm>
#include <vector>

#include "kernels/convert/convert.h"

namespace fye {
namespace {

// One row of any map as floats, on the portable path so that it does not depend on the machine.
class RowReader {
 public:
  explicit RowReader(const Map& map)
      : map_(map), values_(size_t(map.region.w) * map.channels + kSlackFloats) {}

  const float* read(int y) {
    Map row;
    row.channels = row.pitch = map_.channels;
    row.region = {y, map_.region.x, 1, map_.region.w};
    row.row_bytes = ptrdiff_t(map_.region.w) * map_.channels * ptrdiff_t(sizeof(float));
    row.origin = reinterpret_cast<std::byte*>(values_.data());
    convert_rows(map_, row, y, y + 1, Isa::scalar);
    return values_.data();
  }

 private:
  // Maps promise 256 readable bytes past their end.
  static constexpr size_t kSlackFloats = 64;
  const Map& map_;
  std::vector<float> values_;
};

}  // namespace

double msef(const Map& a, const Map& b, const Quant& picture) {
  RowReader left(a), right(b);
  const size_t count = size_t(a.region.w) * a.channels;
  const auto level = [&](float x) {
    const double steps = double(x) / picture.scale + picture.zero;
    return steps < 0 ? 0.0 : steps > 255 ? 255.0 : steps;  // NaN stays
  };
  double sum = 0;
  for (int y = a.region.y; y < a.region.y + a.region.h; ++y) {
    const float *row_a = left.read(y), *row_b = right.read(y);
    for (size_t i = 0; i < count; ++i) {
      const double d = level(row_a[i]) - level(row_b[i]);
      sum += d * d;
    }
  }
  const double n = double(count) * a.region.h;
  return n > 0 ? sum / n : 0;
}

}  // namespace fye
