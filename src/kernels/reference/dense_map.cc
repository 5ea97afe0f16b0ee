#include "kernels/reference/dense_map.h"

#include "kernels/convert/convert.h"
#include "kernels/convert/number.h"

namespace fye {
namespace {

// Calls f(element of the map, its NCHW index inside height x width) for every element of map.region.
template <class T, class F>
void each(const Map& map, int64_t height, int64_t width, int y_base, int x_base, F f) {
  for (int y = map.region.y; y < map.region.y + map.region.h; ++y)
    for (int x = map.region.x; x < map.region.x + map.region.w; ++x)
      for (int c = 0; c < map.channels; ++c)
        f(map.at<T>(y, x)[c], size_t((c * height + (y - y_base)) * width + (x - x_base)));
}

template <class T>
void put_as(const Dense& tensor, int64_t item, const Map& map) {
  const bool plane = tensor.shape.size() == 4;
  const int64_t height = plane ? tensor.shape[2] : 1, width = plane ? tensor.shape[3] : 1;
  const float* values = tensor.values.data() + item * map.channels * height * width;
  each<T>(map, height, width, 0, 0, [&](T& v, size_t at) { v = Stored<T>::store(values[at], map.quant); });
}

template <class T>
void get_as(const Map& map, Dense& tensor) {
  each<T>(map, map.region.h, map.region.w, map.region.y, map.region.x,
          [&](T v, size_t at) { tensor.values[at] = Stored<T>::load(v, map.quant); });
}

}  // namespace

OwnedMap make_map(DType type, Quant quant, int channels, const Region& region, int margin, int pitch) {
  OwnedMap owned;
  Map& map = owned.map;
  map = {.type = type, .quant = quant, .channels = channels, .margin = margin, .region = region};
  map.pitch = pitch ? pitch : pitch_for(type, channels);
  const ptrdiff_t pixel = ptrdiff_t(map.pitch) * size_of(type);
  map.row_bytes = (region.w + 2 * margin) * pixel;
  owned.memory = Buffer(size_t(map.row_bytes) * size_t(region.h + 2 * margin));
  map.origin = owned.memory.data() + margin * map.row_bytes + margin * pixel;
  // Real zero everywhere: all of it is margin of a feature map without pixels.
  Map all = map;
  all.region = {0, 0, region.h + 2 * margin, region.w + 2 * margin};
  all.origin = owned.memory.data();
  all.margin = 0;
  fill_margin(all, 0, 0);
  return owned;
}

void put(const Dense& tensor, int64_t item, const Map& map) {
  if (map.type == DType::f32) put_as<float>(tensor, item, map);
  if (map.type == DType::bf16) put_as<Bf16>(tensor, item, map);
  if (map.type == DType::u8) put_as<uint8_t>(tensor, item, map);
  if (map.type == DType::u16) put_as<uint16_t>(tensor, item, map);
  if (map.type == DType::s16) put_as<int16_t>(tensor, item, map);
}

Dense get(const Map& map) {
  Dense tensor{{1, map.channels, map.region.h, map.region.w}, {}};
  tensor.values.resize(size_t(element_count(tensor.shape)));
  if (map.type == DType::f32) get_as<float>(map, tensor);
  if (map.type == DType::bf16) get_as<Bf16>(map, tensor);
  if (map.type == DType::u8) get_as<uint8_t>(map, tensor);
  if (map.type == DType::u16) get_as<uint16_t>(map, tensor);
  if (map.type == DType::s16) get_as<int16_t>(map, tensor);
  return tensor;
}

}  // namespace fye
