// The window attributes that convolutions and pools share, with auto_pad resolved to numbers.
#pragma once

#include <vector>

#include "import/importer.h"

namespace fye {

struct Window {
  std::vector<int> kernel, stride, dilation, pads;  // height, width; pads: top, left, bottom, right

  // Copies into Conv, ConvTranspose or Pool.
  template <class Op>
  void write(Op& op) const {
    op.kernel_h = kernel[0], op.kernel_w = kernel[1], op.stride_h = stride[0], op.stride_w = stride[1];
    op.dilation_h = dilation[0], op.dilation_w = dilation[1];
    op.pad_top = pads[0], op.pad_left = pads[1], op.pad_bottom = pads[2], op.pad_right = pads[3];
  }
  // Input pixels from a window's first to its last tap along `axis`.
  int span(int axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
};

// Reads kernel_shape (default: `kernel`), strides, dilations, pads and auto_pad of the node, whose input 0 is
// the map. Failures: no 2-D map, values out of range, auto_pad of a strided window where the size of the map
// is not declared.
Window read_window(NodeReader& node, std::vector<int> kernel);

// The two ends of `total` padding; SAME_LOWER puts the odd one first.
struct Ends {
  int begin = 0, end = 0;
};
Ends split_padding(int total, bool lower);

}  // namespace fye
