// MaxPool, AveragePool and GlobalAveragePool over 2-D maps.
#include <fmt/format.h>

#include "graph/shapes.h"
#include "import/op_table.h"
#include "import/window.h"

namespace fye {
namespace {

Pool read_pool(NodeReader& node, Pool::Kind kind) {
  Pool op{.kind = kind};
  if (!node.attribute("kernel_shape")) node.fail("has no kernel_shape");
  read_window(node, {1, 1}).write(op);
  op.ceil_mode = node.int_attribute("ceil_mode", 0) != 0;
  return op;
}

}  // namespace

void read_max_pool(NodeReader& node) {
  const Pool op = read_pool(node, Pool::Kind::max);
  node.int_attribute("storage_order", 0);  // concerns the indices output alone
  node.emit(op, {node.tensor(0)});
}

void read_average_pool(NodeReader& node) {
  Pool op = read_pool(node, Pool::Kind::average);
  op.count_include_pad = node.int_attribute("count_include_pad", 0) != 0;
  node.emit(op, {node.tensor(0)});
}

void read_global_average_pool(NodeReader& node) { node.emit(GlobalAveragePool{}, {node.tensor(0)}); }

}  // namespace fye
