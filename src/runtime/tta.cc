// Tested by runtime/tta_test.cc.
#include "runtime/tta.h"

#include <cstdint>
#include <vector>

namespace fye {
namespace {

template <class Sample>
void turn(const Picture& from, int symmetry, Picture& to) {
  const auto* in = reinterpret_cast<const Sample*>(from.bytes.data());
  auto* out = reinterpret_cast<Sample*>(to.bytes.data());
  const int channels = from.channels;
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      int from_x = symmetry & 4 ? y : x, from_y = symmetry & 4 ? x : y;
      if (symmetry & 1) from_x = from.width - 1 - from_x;
      if (symmetry & 2) from_y = from.height - 1 - from_y;
      const Sample* pixel = in + (size_t(from_y) * from.width + from_x) * channels;
      for (int c = 0; c < channels; ++c) *out++ = pixel[c];
    }
  }
}

template <class Sample, class Sum>
void add(const Picture& picture, std::vector<Sum>& sums) {
  const auto* samples = reinterpret_cast<const Sample*>(picture.bytes.data());
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = Sum(sums[i] + samples[i]);
}

constexpr int kSymmetries = 8;

// Eight 8-bit samples fit 16 bits, eight of 16 bits fit 32.
template <class Sample, class Sum>
Result<Picture> mean(const Picture& picture, const std::function<Result<Picture>(const Picture&)>& enlarge) {
  auto first = enlarge(picture);
  if (!first) return first;
  Picture result = *std::move(first);
  std::vector<Sum> sums(result.samples());
  add<Sample>(result, sums);
  for (int symmetry = 1; symmetry < kSymmetries; ++symmetry) {
    auto larger = enlarge(turned(picture, symmetry));
    if (!larger) return larger;
    const Picture back = turned(*larger, inverse(symmetry));
    if (back.width != result.width || back.height != result.height || back.channels != result.channels ||
        back.bits != result.bits)
      return internal_error("the network's results differ in shape from one turn to another");
    add<Sample>(back, sums);
  }
  auto* out = reinterpret_cast<Sample*>(result.bytes.data());
  for (size_t i = 0; i < sums.size(); ++i) out[i] = Sample((sums[i] + kSymmetries / 2) / kSymmetries);
  return result;
}

}  // namespace

Picture turned(const Picture& picture, int symmetry) {
  const bool swapped = symmetry & 4;
  Picture result(swapped ? picture.height : picture.width, swapped ? picture.width : picture.height,
                 picture.channels, picture.bits);
  if (picture.bits == 8)
    turn<uint8_t>(picture, symmetry, result);
  else
    turn<uint16_t>(picture, symmetry, result);
  return result;
}

// Mirrors undo themselves; after a swap the mirror of columns has become one of rows.
int inverse(int symmetry) {
  return symmetry & 4 ? 4 | (symmetry & 1) << 1 | (symmetry & 2) >> 1 : symmetry;
}

Result<Picture> mean_of_symmetries(const Picture& picture,
                                   const std::function<Result<Picture>(const Picture&)>& enlarge) {
  return picture.bits == 8 ? mean<uint8_t, uint16_t>(picture, enlarge) : mean<uint16_t, uint32_t>(picture, enlarge);
}

}  // namespace fye
