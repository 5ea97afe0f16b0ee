// NodeProblem: what prepare_node() hands to the families, and the few lines that all of them share.
#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "kernels/convert/number.h"
#include "kernels/node_kernel.h"

namespace fye {

struct NodeProblem {
  const Graph& graph;
  const Node& node;
  std::span<const Format> in;
  const Format& out;
  Isa max;
};

using Prepared = Result<std::unique_ptr<Kernel>>;

// bad_input: `node "up1" (depth_to_space): WHY`.
Error node_error(const Node& node, std::string_view why);

// The number of dimensions of a node's first input: as declared, else as inferred, else 4. What a constant's
// or an axis's position means depends on it.
int input_rank(const Graph& graph, const Node& node);

// bad_input unless a u8 input has the output's quant: moving bytes can't change what they mean.
Status same_quant(const NodeProblem& problem);

// The stored form of real zero, which gaps and padding hold.
template <class T>
T stored_zero(Quant quant) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, Bf16>)
    return T{};
  else
    return T(quant.zero);
}

// Fills the elements between channels and pitch of row y.
template <class T>
void fill_gap(const Map& out, int y) {
  if (out.pitch == out.channels) return;
  const T zero = stored_zero<T>(out.quant);
  T* pixel = out.at<T>(y, out.region.x);
  for (int x = 0; x < out.region.w; ++x, pixel += out.pitch)
    for (int c = out.channels; c < out.pitch; ++c) pixel[c] = zero;
}

// Calls make(T{}) with the storage type of the format and wraps what comes back; the caller has checked the
// type.
template <class Make>
Prepared with_storage(DType type, Make make) {
  switch (type) {
    case DType::f32:
      return make(float{});
    case DType::bf16:
      return make(Bf16{});
    case DType::u8:
      return make(uint8_t{});
    default:
      return internal_error("a map can't hold " + std::string(name(type)));
  }
}

}  // namespace fye
