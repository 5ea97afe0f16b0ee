// One function per op of graph.h, each a transcription of its definition; dense.cc dispatches. Inputs have
// been checked for count and rank; what else an op needs it checks itself.
#pragma once

#include <functional>

#include "kernels/reference/dense.h"

namespace fye {

// What every op gets.
struct ReferenceCall {
  const Graph& graph;
  const Node& node;
  std::span<const Dense> in;

  const Constant* constant(ConstantId id) const {
    return id == kNone ? nullptr : &graph.constants[size_t(id)];
  }
};

// act(v) for a value of channel c, in double.
double activate(const Activation& act, double v, int64_t c);

Result<Dense> reference_conv(const ReferenceCall& call, const Conv& op);
Result<Dense> reference_conv_transpose(const ReferenceCall& call, const ConvTranspose& op);
Result<Dense> reference_gemm(const ReferenceCall& call, const Gemm& op);
Result<Dense> reference_elementwise(const ReferenceCall& call, const Elementwise& op);
Result<Dense> reference_affine(const ReferenceCall& call, const Affine& op);
Result<Dense> reference_binary(const ReferenceCall& call, const Binary& op);
Result<Dense> reference_softmax(const ReferenceCall& call, const Softmax& op);
Result<Dense> reference_concat(const ReferenceCall& call, const Concat& op);
Result<Dense> reference_depth_to_space(const ReferenceCall& call, const DepthToSpace& op);
Result<Dense> reference_resize(const ReferenceCall& call, const Resize& op);
Result<Dense> reference_reshape(const ReferenceCall& call, const Reshape& op);
Result<Dense> reference_pool(const ReferenceCall& call, const Pool& op);
Result<Dense> reference_global_average_pool(const ReferenceCall& call);

}  // namespace fye
