// Float activations, one value at a time: what the float and bf16 convolutions are held to.
#pragma once

#include <cmath>

#include "graph/graph.h"

namespace fye {

// act(x) for channel c. NaN stays NaN.
template <class T>
T activate(const Activation& act, T x, int c) {
  switch (act.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return x < 0 ? T(0) : x;
    case Activation::Kind::leaky_relu:
    case Activation::Kind::prelu:
      return x < 0 ? x * T(act.slope[act.slope.size() == 1 ? 0 : c]) : x;
    case Activation::Kind::clip:
      return x < T(act.lo) ? T(act.lo) : x > T(act.hi) ? T(act.hi) : x;
    case Activation::Kind::tanh:
      return std::tanh(x);
    case Activation::Kind::sigmoid:
      return T(1) / (T(1) + std::exp(-x));
  }
  return x;
}

}  // namespace fye
