#include "import/ncnn/weight_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "import/half.h"

namespace fye {
namespace {

// Tags of ncnn's modelbin: what follows is ...
constexpr uint32_t kRawF32 = 0, kTaggedF32 = 0x0002c056, kHalf = 0x01306b47, kInt8 = 0x000d4b38;

template <class Stored, class Decode>
Result<std::vector<float>> decode(std::string_view& rest, int64_t count, Decode decode_one) {
  const uint64_t bytes = (uint64_t(count) * sizeof(Stored) + 3) / 4 * 4;
  if (bytes > rest.size())
    return bad_input(
        fmt::format("{} weights are needed and the .bin file has {} bytes left", count, rest.size()),
        "is it the .bin of this .param?");
  std::vector<float> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, rest.data() + size_t(i) * sizeof(Stored), sizeof(Stored));
    values[size_t(i)] = decode_one(stored);
  }
  rest.remove_prefix(bytes);
  if (!std::ranges::all_of(values, [](float v) { return std::isfinite(v); }))
    return bad_input("a weight is NaN or infinite", "is it the .bin of this .param?");
  return values;
}

}  // namespace

Result<std::vector<float>> NcnnWeights::plain(int64_t count) {
  return decode<float>(rest_, count, [](float v) { return v; });
}

Result<std::vector<float>> NcnnWeights::tagged(int64_t count) {
  uint32_t tag = 0;
  if (rest_.size() < sizeof(tag))
    return bad_input("the .bin file ends before the weights", "is it the .bin of this .param?");
  std::memcpy(&tag, rest_.data(), sizeof(tag));
  rest_.remove_prefix(sizeof(tag));
  if (tag == kHalf) return decode<uint16_t>(rest_, count, from_half);
  if (tag == kRawF32 || tag == kTaggedF32) return plain(count);
  if (tag == kInt8)
    return bad_input("8-bit weights; fye makes its own", "give the f32 or f16 model and run fye calibrate");
  return bad_input(fmt::format("weights are stored in an unknown way (tag {:08x})", tag),
                   "f32 and f16 are read; is it the .bin of this .param?");
}

}  // namespace fye
