#include "import/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/shapes.h"

namespace fye {

Ends split_padding(int total, bool lower) {
  const int small = total / 2;
  return lower ? Ends{total - small, small} : Ends{small, total - small};
}

Window read_window(NodeReader& node, std::vector<int> kernel) {
  const Shape map = node.shape(0);
  if (map.size() != 4)
    node.fail(
        fmt::format("input {} has {} dimensions; fye knows maps of 4 (NCHW)", to_text(map), map.size()));
  Window window{.kernel = node.small_attributes("kernel_shape", kernel)};
  window.stride = node.small_attributes("strides", {1, 1});
  window.dilation = node.small_attributes("dilations", {1, 1});
  window.pads = node.small_attributes("pads", {0, 0, 0, 0});
  for (const auto* values : {&window.kernel, &window.stride, &window.dilation})
    if (std::ranges::count(*values, 0) > 0) node.fail("a kernel size, stride or dilation is 0");

  const std::string mode = node.string_attribute("auto_pad", "NOTSET");
  if (mode == "VALID") window.pads = {0, 0, 0, 0};
  if (mode == "NOTSET" || mode == "VALID" || !node.ok()) return window;
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    node.fail(fmt::format("auto_pad \"{}\"; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", mode));
    return window;
  }
  // SAME: as many windows as strides fit, ceil(size / stride). With stride 1 that does not depend on the
  // size.
  for (int axis = 0; axis < 2; ++axis) {
    const int64_t size = map[axis + 2], stride = window.stride[axis];
    if (size < 0 && stride > 1) {
      node.fail(fmt::format(
          "auto_pad {} with stride {} depends on the map's size, which the model leaves free", mode, stride));
      return window;
    }
    const int64_t total =
        stride == 1
            ? window.span(axis) - 1
            : std::max<int64_t>(0, ((size + stride - 1) / stride - 1) * stride + window.span(axis) - size);
    const Ends ends = split_padding(static_cast<int>(total), mode == "SAME_LOWER");
    window.pads[axis] = ends.begin;
    window.pads[axis + 2] = ends.end;
  }
  return window;
}

}  // namespace fye
