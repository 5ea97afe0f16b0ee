// The factory: checks what holds for every op - one storage type, known channels - then asks the family.
#include "kernels/node_kernel.h"

#include <fmt/format.h>

#include "graph/shapes.h"
#include "kernels/dense/dense.h"
#include "kernels/element/element.h"
#include "kernels/move/move.h"
#include "kernels/node_problem.h"
#include "kernels/pool/pool.h"
#include "kernels/resize/bicubic.h"

namespace fye {
namespace {

size_t inputs_of(const Node& node) {
  if (node.as<Concat>()) return node.inputs.size();
  const Binary* binary = node.as<Binary>();
  return binary && binary->constant == kNone ? 2 : 1;
}

bool is_sum(const Node& node) {
  const Binary* binary = node.as<Binary>();
  return binary && binary->constant == kNone &&
         (binary->kind == Binary::Kind::add || binary->kind == Binary::Kind::sub);
}

Status check_formats(const NodeProblem& p) {
  if (p.in.size() != inputs_of(p.node) || p.in.empty())
    return node_error(p.node, fmt::format("got {} input maps, expected {}", p.in.size(), inputs_of(p.node)));
  const DType type = p.out.type;
  if (type != DType::f32 && type != DType::bf16 && type != DType::u8 &&
      !(type == DType::s16 && is_sum(p.node)))
    return node_error(p.node, fmt::format("can't compute in {}", name(type)));
  for (size_t i = 0; i < p.in.size(); ++i) {
    const Format& in = p.in[i];
    if (in.type != type)
      return node_error(p.node,
                        fmt::format("input {} is {} and the output {}: a converter belongs between them", i,
                                    name(in.type), name(type)));
    if (in.channels <= 0) return node_error(p.node, fmt::format("input {} has {} channels", i, in.channels));
    if (type == DType::u8 && !(in.quant.scale > 0 && in.quant.zero >= 0 && in.quant.zero <= 255))
      return node_error(
          p.node, fmt::format("input {} has scale {} and zero point {}", i, in.quant.scale, in.quant.zero));
    if (type == DType::s16 && !(in.quant == p.out.quant && in.quant.scale > 0 && in.quant.zero == 0))
      return node_error(p.node, fmt::format("input {} is s16 on another grid than the output", i));
  }
  if (p.out.channels <= 0)
    return node_error(p.node, fmt::format("the output has {} channels", p.out.channels));
  if (type == DType::u8 && !(p.out.quant.scale > 0 && p.out.quant.zero >= 0 && p.out.quant.zero <= 255))
    return node_error(p.node, fmt::format("the output has scale {} and zero point {}", p.out.quant.scale,
                                          p.out.quant.zero));
  return {};
}

struct Prepare {
  const NodeProblem& p;

  Prepared operator()(const Conv&) const {
    return node_error(p.node, "convolutions are prepared by prepare_conv");
  }
  Prepared operator()(const ConvTranspose& op) const { return prepare_conv_transpose(p, op); }
  Prepared operator()(const Elementwise& op) const { return prepare_elementwise(p, op); }
  Prepared operator()(const Binary& op) const { return prepare_binary(p, op); }
  Prepared operator()(const Concat& op) const { return prepare_concat(p, op); }
  Prepared operator()(const DepthToSpace& op) const { return prepare_depth_to_space(p, op); }
  Prepared operator()(const Resize& op) const {
    return op.kind == Resize::Kind::nearest ? prepare_nearest(p, op) : prepare_bicubic(p, op);
  }
  Prepared operator()(const Pool& op) const { return prepare_pool(p, op); }
  Prepared operator()(const GlobalAveragePool&) const { return prepare_global_average_pool(p); }
  Prepared operator()(const Gemm& op) const { return prepare_gemm(p, op); }
  Prepared operator()(const Reshape& op) const { return prepare_reshape(p, op); }
  Prepared operator()(const Softmax& op) const { return prepare_softmax(p, op); }
  Prepared operator()(const Affine& op) const { return prepare_affine(p, op); }
};

}  // namespace

Error node_error(const Node& node, std::string_view why) {
  return bad_input(fmt::format("node \"{}\" ({}): {}", node.name, op_name(node), why));
}

int input_rank(const Graph& graph, const Node& node) {
  const size_t id = size_t(node.inputs.at(0));
  if (!graph.tensors[id].shape.empty()) return int(graph.tensors[id].shape.size());
  std::vector<Shape> inputs;
  for (const TensorId input : graph.inputs) inputs.push_back(graph.tensors[size_t(input)].shape);
  const Result<std::vector<Shape>> shapes = infer_shapes(graph, inputs);
  return shapes && !(*shapes)[id].empty() ? int((*shapes)[id].size()) : 4;
}

Status same_quant(const NodeProblem& p) {
  if (p.out.type != DType::u8) return {};
  for (const Format& in : p.in)
    if (!(in.quant == p.out.quant))
      return node_error(
          p.node,
          fmt::format("moves bytes, so the input's scale {} and zero point {} must be the output's {}, {}",
                      in.quant.scale, in.quant.zero, p.out.quant.scale, p.out.quant.zero));
  return {};
}

Result<std::unique_ptr<Kernel>> prepare_node(const Graph& graph, const Node& node, std::span<const Format> in,
                                             const Format& out, Isa max) {
  const NodeProblem problem{graph, node, in, out, max};
  if (Status status = check_formats(problem); !status) return status.error();
  return std::visit(Prepare{problem}, node.op);
}

}  // namespace fye
