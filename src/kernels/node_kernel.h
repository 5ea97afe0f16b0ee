// Kernels of every op but convolution, behind one factory; the families are the folders beside it.
#pragma once

#include <memory>
#include <span>

#include "base/isa.h"
#include "base/result.h"
#include "graph/graph.h"
#include "kernels/kernel.h"

namespace fye {

// How a node's operand is stored.
struct Format {
  DType type = DType::f32;
  Quant quant;
  int channels = 0;
};

// Elementwise, Binary, Concat, DepthToSpace, Resize, Pool, GlobalAveragePool, Gemm, Reshape, Softmax, Affine,
// ConvTranspose, and grouped or otherwise unusual Conv is not here (kernels/conv). Maps of ops that leave the
// plane (Gemm, Softmax, Reshape to rank 2) are 1 x 1 pixels; Reshape turns NHWC into the flat NCHW order ONNX
// means. Formats: all f32; all bf16 (computed in f32, rounded to bf16); all u8 where it makes sense:
//  - DepthToSpace, nearest Resize, max Pool move bytes: out.quant must equal in.quant;
//  - Concat requantises inputs whose quant differs from out's: sat(rne((q - z) * (s_in / s_out)) + z_out) in
//  float32;
//  - add, sub: sat(rne(A (q_a - z_a) + B (q_b - z_b)) + z), A = s_a / s_y, B = s_b / s_y (design.md, section
//  4);
//  - Elementwise, Affine: the float function of s (q - z), float32, then sat(rne(v / s_y) + z_y), by table;
//  - average Pool, bicubic Resize: float32 of the dequantised values in a fixed order, then the same.
// A sum or difference of two s16 maps on the output's own grid: sat16(q_a +- q_b).
// Gemm, Softmax, GlobalAveragePool, ConvTranspose are float only: an error says so. Errors name the node.
Result<std::unique_ptr<Kernel>> prepare_node(const Graph& graph, const Node& node, std::span<const Format> in,
                                             const Format& out, Isa max);

}  // namespace fye
