#include "processors/form.h"

namespace fye {

Form form_of(DType type) {
  switch (type) {
    case DType::bf16:
      return Form::bf16;
    case DType::u8:
      return Form::u8;
    case DType::s16:
      return Form::s16;
    default:
      return Form::f32;
  }
}

int coarseness(Form form) {
  switch (form) {
    case Form::bf16:
      return 1;
    case Form::s16:
      return 2;
    case Form::u8:
      return 3;
    default:
      return 0;
  }
}

std::string_view name(Form form) {
  switch (form) {
    case Form::f32:
      return "f32";
    case Form::bf16:
      return "bf16";
    case Form::u8:
      return "u8";
    case Form::s16:
      return "s16";
    case Form::host:
      return "host";
  }
  return "?";
}

std::optional<Form> form_from(std::string_view text) {
  for (const Form form : kAllForms)
    if (name(form) == text) return form;
  return std::nullopt;
}

}  // namespace fye
