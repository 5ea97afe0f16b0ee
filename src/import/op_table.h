// The ONNX ops that fye imports: one row an op.
#pragma once

#include <span>
#include <string_view>

#include "import/importer.h"

namespace fye {

// Opsets whose ops were checked against these importers: 11 is the first with today's Resize, Clip and Pad;
// up to 27 (onnx 1.22) the ops below changed only by further types and by attributes, which are read or
// refused by name.
inline constexpr int kOldestOpset = 11, kNewestOpset = 27;

// An importer emits at most one node, or an alias; failures stick to the reader.
struct OpRow {
  std::string_view name;
  void (*read)(NodeReader&);
};
std::span<const OpRow> op_table();

// By family; each file has the op's rules at its head.
void read_conv(NodeReader&);  // read_conv.cc
void read_conv_transpose(NodeReader&);
void read_gemm(NodeReader&);  // read_dense.cc
void read_mat_mul(NodeReader&);
void read_max_pool(NodeReader&);  // read_pool.cc
void read_average_pool(NodeReader&);
void read_global_average_pool(NodeReader&);
void read_activation(NodeReader&);  // read_pointwise.cc
void read_binary(NodeReader&);
void read_batch_normalization(NodeReader&);
void read_softmax(NodeReader&);
void read_concat(NodeReader&);  // read_layout.cc
void read_tile(NodeReader&);
void read_depth_to_space(NodeReader&);
void read_space_to_depth(NodeReader&);
void read_flatten(NodeReader&);
void read_reshape(NodeReader&);
void read_resize(NodeReader&);    // read_resize.cc
void read_identity(NodeReader&);  // read_plain.cc
void read_dropout(NodeReader&);
void read_cast(NodeReader&);
void read_constant(NodeReader&);
void read_quantize_linear(NodeReader&);  // qdq.cc
void read_dequantize_linear(NodeReader&);

}  // namespace fye
