// Synthetic pictures and small sets of crops for the estimator's tests.
#pragma once

#include <cmath>
#include <numeric>

#include "image/picture.h"
#include "learn/data.h"
#include "learn/estimator_crops.h"
#include "quality/piqe.h"

namespace fye::testing {

// Waves with noise of +-`noise` levels, 8-bit RGB.
inline Picture waves(int width, int height, uint64_t seed, int noise) {
  Picture picture(width, height, 3);
  Random random{seed};
  const double fx = 0.1 + 0.02 * random.below(30), fy = 0.1 + 0.02 * random.below(30);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        const double wave =
            128 + 90 * std::sin(fx * x + c) * std::cos(fy * y) + random.below(2 * noise + 1) - noise;
        picture.bytes[(size_t(y) * width + x) * 3 + c] = uint8_t(std::clamp(wave, 0.0, 255.0));
      }
  return picture;
}

// `places` places of four crops: a wave with more and more noise, exactly scored; the second belongs to a
// held-out plan, every fourth place to a held-out picture.
inline CropSet small_crops(int places, int side) {
  CropSet set{side, {}, torch::empty({4 * places, 1, side, side}, torch::kUInt8)};
  ThreadPool here(1);
  for (int place = 0; place < places; ++place)
    for (int version = 0; version < 4; ++version) {
      const Picture picture = waves(side, side, uint64_t(place + 1), 2 + 11 * version);
      Plane plane(side, side);
      uint8_t* pixels = set.pixels[int64_t(set.crops.size())].data_ptr<uint8_t>();
      for (size_t i = 0; i < plane.values.size(); ++i) plane.values[i] = pixels[i] = picture.bytes[3 * i];
      CropInfo info{.score = float(piqe(plane, here).score),
                    .place = uint32_t(place),
                    .plan = uint16_t(version),
                    .net = 0};
      info.kind = CropKind::mixed;
      info.held_picture = place % 4 == 3, info.held_plan = version == 1;
      set.crops.push_back(info);
    }
  return set;
}

inline std::vector<int64_t> all_rows(const CropSet& set) {
  std::vector<int64_t> rows(set.crops.size());
  std::iota(rows.begin(), rows.end(), int64_t(0));
  return rows;
}

}  // namespace fye::testing
