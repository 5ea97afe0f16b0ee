// Resize by whole factors, in the two forms that Graph has: repeating pixels, and bicubic at half-pixel
// centres.
//
// Which nearest modes repeat pixels exactly, for output o = q * f + r: asymmetric reads o / f = q + r / f, so
// floor gives q, and so does round_prefer_floor for f = 2 (r / f <= 1/2). half_pixel (and pytorch_half_pixel,
// equal for outputs of two pixels and more) reads q + (r + 1/2) / f - 1/2, less than 1/2 from q on both
// sides, so rounding either way gives q. All else is refused.
#include <fmt/format.h>

#include <cmath>

#include "graph/shapes.h"
#include "import/op_table.h"

namespace fye {
namespace {

struct Factors {
  int h = 1, w = 1;
};

// From scales (input 2) or sizes (input 3), given for all axes or for those in attribute `axes`.
Factors read_factors(NodeReader& node, const Shape& shape) {
  const bool by_scale = node.has(2) && !(node.value(2).floats.empty() && node.has(3));
  if (!by_scale && !node.has(3)) node.fail("has neither scales nor sizes");
  if (!node.ok()) return {};
  auto axes = node.ints_attribute("axes", {0, 1, 2, 3});
  const size_t given = by_scale ? node.floats(2).size() : node.ints(3).size();
  if (node.ok() && given != axes.size())
    node.fail(fmt::format("{} scales or sizes for {} axes", given, axes.size()));

  double factor[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < axes.size() && node.ok(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + 4 : axes[i];
    if (axis < 0 || axis > 3) {
      node.fail(fmt::format("axis {} of 4", axes[i]));
      break;
    }
    if (!by_scale && shape[axis] < 0) node.fail("sizes need an input of declared size; give scales");
    if (node.ok())
      factor[axis] = by_scale ? node.floats(2)[i]
                              : static_cast<double>(node.ints(3)[i]) / static_cast<double>(shape[axis]);
  }
  for (int axis = 0; axis < 4 && node.ok(); ++axis)
    if (!(factor[axis] >= 1) || factor[axis] > (axis < 2 ? 1 : kMaxAttribute) ||
        factor[axis] != std::floor(factor[axis]))
      node.fail(fmt::format("factor {} on axis {}; fye knows whole factors of height and width", factor[axis],
                            axis));
  return node.ok() ? Factors{static_cast<int>(factor[2]), static_cast<int>(factor[3])} : Factors{};
}

bool repeats_pixels(const std::string& coordinates, const std::string& rounding, int factor) {
  if (factor == 1) return coordinates != "tf_crop_and_resize";
  if (coordinates == "asymmetric")
    return rounding == "floor" || (rounding == "round_prefer_floor" && factor == 2);
  return (coordinates == "half_pixel" || coordinates == "pytorch_half_pixel") &&
         rounding.starts_with("round_prefer_");
}

}  // namespace

void read_resize(NodeReader& node) {
  const Shape shape = node.shape(0);
  if (node.ok() && shape.size() != 4)
    node.fail(fmt::format("input {} is no map of 4 dimensions", to_text(shape)));
  const Factors factors = node.ok() ? read_factors(node, shape) : Factors{};
  const std::string mode = node.string_attribute("mode", "nearest");
  const std::string coordinates = node.string_attribute("coordinate_transformation_mode", "half_pixel");
  const std::string rounding = node.string_attribute("nearest_mode", "round_prefer_floor");
  const std::string policy = node.string_attribute("keep_aspect_ratio_policy", "stretch");
  const float cubic_a = node.float_attribute("cubic_coeff_a", -0.75f);
  const bool exclude_outside = node.int_attribute("exclude_outside", 0) != 0;
  node.float_attribute("extrapolation_value", 0);  // concerns tf_crop_and_resize alone
  node.int_attribute("antialias", 0);              // concerns reduction alone
  if (policy != "stretch")
    node.fail(fmt::format("keep_aspect_ratio_policy \"{}\"; fye knows stretch", policy));

  Resize op{.factor_h = factors.h, .factor_w = factors.w};
  if (mode == "nearest") {
    if (!repeats_pixels(coordinates, rounding, factors.h) ||
        !repeats_pixels(coordinates, rounding, factors.w))
      node.fail(fmt::format(
          "nearest with {} and {} does not repeat pixels; fye knows asymmetric with floor, and half_pixel",
          coordinates, rounding));
  } else if (mode == "cubic") {
    op.kind = Resize::Kind::bicubic;
    op.cubic_a = cubic_a;
    const bool half = coordinates == "half_pixel" || coordinates == "pytorch_half_pixel";
    if (!half || exclude_outside || (cubic_a != -0.75f && cubic_a != -0.5f))
      node.fail(
          fmt::format("cubic with {}, exclude_outside {}, a {}; fye knows half_pixel, 0, and -0.75 or -0.5",
                      coordinates, exclude_outside, cubic_a));
  } else {
    node.fail(fmt::format("mode \"{}\"; fye knows nearest and cubic", mode));
  }
  node.emit(op, {node.tensor(0)});
}

}  // namespace fye
