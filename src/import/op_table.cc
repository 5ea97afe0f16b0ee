#include "import/op_table.h"

namespace fye {

std::span<const OpRow> op_table() {
  static constexpr OpRow kTable[] = {
      {"Add", read_binary},
      {"AveragePool", read_average_pool},
      {"BatchNormalization", read_batch_normalization},
      {"Cast", read_cast},
      {"Clip", read_activation},
      {"Concat", read_concat},
      {"Constant", read_constant},
      {"Conv", read_conv},
      {"ConvTranspose", read_conv_transpose},
      {"DepthToSpace", read_depth_to_space},
      {"DequantizeLinear", read_dequantize_linear},
      {"Div", read_binary},
      {"Dropout", read_dropout},
      {"Flatten", read_flatten},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_average_pool},
      {"Identity", read_identity},
      {"LeakyRelu", read_activation},
      {"MatMul", read_mat_mul},
      {"MaxPool", read_max_pool},
      {"Mul", read_binary},
      {"PRelu", read_activation},
      {"QuantizeLinear", read_quantize_linear},
      {"Relu", read_activation},
      {"Reshape", read_reshape},
      {"Resize", read_resize},
      {"Sigmoid", read_activation},
      {"Softmax", read_softmax},
      {"SpaceToDepth", read_space_to_depth},
      {"Sub", read_binary},
      {"Tanh", read_activation},
      {"Tile", read_tile},
  };
  return kTable;
}

}  // namespace fye
