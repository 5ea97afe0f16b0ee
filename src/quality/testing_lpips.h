// Weights of LPIPS's shapes that are made up, for tests on machines without the published ones.
#pragma once

#include <cmath>
#include <random>

#include "quality/lpips_weights.h"

namespace fye::testing {

// Seeded: kernels that keep the size of what goes through, small biases, linear weights 0..1.
inline LpipsWeights random_lpips_weights(unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> both(-1, 1), positive(0, 1);
  LpipsWeights weights;
  for (size_t i = 0; i < kAlexConvs.size(); ++i) {
    const AlexConv& conv = kAlexConvs[i];
    LpipsWeights::Layer& layer = weights.layers[i];
    const int taps = conv.in * conv.kernel * conv.kernel;
    const float spread = std::sqrt(6.f / float(taps));  // He's bound for uniform numbers
    layer.weight.resize(size_t(conv.out) * taps);
    layer.bias.resize(size_t(conv.out));
    layer.lin.resize(size_t(conv.out));
    for (float& w : layer.weight) w = spread * both(random);
    for (float& w : layer.bias) w = 0.1f * both(random);
    for (float& w : layer.lin) w = positive(random);
  }
  return weights;
}

}  // namespace fye::testing
