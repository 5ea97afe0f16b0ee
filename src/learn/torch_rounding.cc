#include "learn/torch_rounding.h"

#include <limits>

namespace fye {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// after * clamp(rne(x / before), lo, hi); keeps only which elements were inside.
struct Round : torch::autograd::Function<Round> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double before, double after,
                            double lo, double hi) {
    // Tensors of one element, so that nobody multiplies by a reciprocal instead.
    auto q = before == 1 ? x.round() : (x / torch::full({}, before, torch::kFloat32)).round_();
    if (x.requires_grad()) context->save_for_backward({q.ge(lo).logical_and_(q.le(hi))});
    context->saved_data["slope"] = after / before;
    q = q.nan_to_num_(0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity())
            .clamp_(lo, hi);
    return after == 1 ? q : q.mul_(after);
  }
  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const auto inside = context->get_saved_variables()[0];
    return {gradients[0] * inside * context->saved_data["slope"].toDouble(), {}, {}, {}, {}};
  }
};

struct RoundBf16 : torch::autograd::Function<RoundBf16> {
  static at::Tensor forward(AutogradContext*, const at::Tensor& x) {
    return x.to(torch::kBFloat16).to(torch::kFloat32);
  }
  static tensor_list backward(AutogradContext*, const tensor_list& gradients) { return {gradients[0]}; }
};

}  // namespace

LevelRange range_of(const Stored& form) {
  if (form.type == DType::s16) return {-32768, 32767};
  return {double(-form.quant.zero), double(255 - form.quant.zero)};
}

at::Tensor levels(const at::Tensor& x, const Stored& form) {
  const LevelRange range = range_of(form);
  return Round::apply(x, double(form.quant.scale), 1.0, range.lo, range.hi);
}

at::Tensor from_steps(const at::Tensor& steps, const LevelRange& range, float scale) {
  return Round::apply(steps, 1.0, double(scale), range.lo, range.hi);
}

at::Tensor in_form(const at::Tensor& x, const Stored& form) {
  if (form.type == DType::f32) return x;
  if (form.type == DType::bf16) return RoundBf16::apply(x);
  const LevelRange range = range_of(form);
  return Round::apply(x, double(form.quant.scale), double(form.quant.scale), range.lo, range.hi);
}

}  // namespace fye
