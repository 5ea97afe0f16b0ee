// The loop of the depthwise kernels, over a Form of one instruction set and number format.
//
// Form: Vector (of float), kLanes, kElement (bytes of an element in a map), load() of a vector of elements,
// multiply_add(), zero(), and finish<V>(), which takes the sums to the map.
#pragma once

#include "kernels/conv/depthwise.h"
#include "kernels/conv/direct-inl.h"

namespace fye {
namespace {

template <class Form, int P, int V>
void depthwise_pixels(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e, int x) {
  using Vector = typename Form::Vector;
  Vector acc[P][V];
#pragma GCC unroll 4
  for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) acc[p][v] = Form::zero();
  const float* weights = reinterpret_cast<const float*>(block.weights);
  const std::byte* first = row.in + block.first * Form::kElement + x * row.in_pixel;
  for (int ky = 0; ky < row.kernel_h; ++ky, first += row.in_row)
    for (int kx = 0; kx < row.runs; ++kx, weights += V * Form::kLanes) {
      const std::byte* in = first + kx * row.in_tap;
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        const Vector w = Form::load_weights(weights + v * Form::kLanes);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p)
          acc[p][v] = Form::multiply_add(
              Form::load(in + p * row.in_pixel + v * Form::kLanes * Form::kElement), w, acc[p][v]);
      }
    }
  Form::template finish<V>(
      [&](int p, int v) { return Form::sum(acc[p][v], e, block.slot + v * Form::kLanes); }, P, row, block, e,
      x);
}

template <class Form, int V>
void depthwise_row_of(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  int x = 0;
  for (; x + 4 <= row.width; x += 4) depthwise_pixels<Form, 4, V>(row, block, e, x);
  for (; x < row.width; ++x) depthwise_pixels<Form, 1, V>(row, block, e, x);
}

template <class Form>
void depthwise_row(const DirectRow& row, const DirectBlock& block, const DirectEpilogue& e) {
  block.vectors == 1 ? depthwise_row_of<Form, 1>(row, block, e) : depthwise_row_of<Form, 2>(row, block, e);
}

template <class Form>
constexpr DirectCode depthwise_code(std::string_view name, Numbers numbers) {
  return {.name = name,
          .numbers = numbers,
          .lanes = Form::kLanes,
          .max_vectors = 2,
          .across_groups = true,
          .row = depthwise_row<Form>};
}

// Sums to the map through the float epilogue.
template <class Float>
struct DepthwiseFloat : Float {
  using Vector = typename Float::Vector;
  static Vector zero() { return Float::set(0); }
  static Vector load_weights(const float* p) { return Float::load(p); }
  static Vector sum(Vector acc, const DirectEpilogue& e, int slot) {
    return Float::add(acc, Float::load(static_cast<const float*>(e.start) + slot));
  }
  template <int V, class Acc>
  static void finish(const Acc& acc, int pixels, const DirectRow& row, const DirectBlock& block,
                     const DirectEpilogue& e, int x) {
    finish_float<Float, V>(acc, pixels, row, block, e, x);
  }
};

}  // namespace
}  // namespace fye
