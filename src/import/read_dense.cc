// Gemm, and MatMul with a constant second operand, which is the same without bias.
#include <fmt/format.h>

#include "graph/shapes.h"
#include "import/op_table.h"

namespace fye {
namespace {

// Input 1 as a matrix; returns its shape.
Shape read_matrix(NodeReader& node, Gemm& op) {
  const auto& values = node.floats(1);
  const Shape shape = node.value(1).shape;
  if (node.ok() && shape.size() != 2)
    node.fail(fmt::format("weights {} have {} dimensions, expected 2", to_text(shape), shape.size()));
  if (!node.ok()) return {1, 1};
  op.weight = node.constant(shape, values);
  return shape;
}

}  // namespace

void read_gemm(NodeReader& node) {
  Gemm op;
  op.alpha = node.float_attribute("alpha", 1);
  op.beta = node.float_attribute("beta", 1);
  op.trans_a = node.int_attribute("transA", 0) != 0;
  op.trans_b = node.int_attribute("transB", 0) != 0;
  const Shape matrix = read_matrix(node, op);
  const int axis = op.trans_b ? 0 : 1;
  const int64_t columns = matrix[axis];
  if (node.has(2)) {
    // C is broadcast to [rows, columns]; a bias is one that does not change from row to row.
    auto values = node.floats(2);
    const Shape shape = node.value(2).shape;
    const bool same_rows = shape.size() <= 2 && (shape.size() < 2 || shape[0] == 1);
    const auto count = static_cast<int64_t>(values.size());
    if (node.ok() && (!same_rows || (count != columns && count != 1)))
      node.fail(fmt::format("C {} does not fit; fye knows one value or one a column ({})", to_text(shape),
                            columns));
    if (!node.ok() || !node.charge(columns)) return;
    if (count == 1) values.assign(static_cast<size_t>(columns), values[0]);
    op.bias = node.constant({columns}, std::move(values));
  }
  node.integer_weights(1, axis, columns);
  node.emit(op, {node.tensor(0)});
}

void read_mat_mul(NodeReader& node) {
  Gemm op;
  const Shape matrix = read_matrix(node, op);
  if (const Shape& a = node.shape(0); node.ok() && a.size() != 2)
    node.fail(
        fmt::format("input {} has {} dimensions; fye knows products of matrices (2)", to_text(a), a.size()));
  node.integer_weights(1, 1, matrix[1]);
  node.emit(op, {node.tensor(0)});
}

}  // namespace fye
