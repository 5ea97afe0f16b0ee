// Form: in which of a few ways a tensor is stored, as far as plans care about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "graph/tensor.h"

namespace fye {

// host: the picture in the caller's memory, before the first hand-over and after the last.
enum class Form : uint8_t { f32, bf16, u8, s16, host };
inline constexpr int kForms = 5;
inline constexpr Form kAllForms[kForms] = {Form::f32, Form::bf16, Form::u8, Form::s16, Form::host};

// 0 for f32, more for forms that keep less: f32 < bf16 < s16 < u8. A reader of a coarser form than was
// written loses what that form loses; of a finer one, nothing. host counts as f32.
int coarseness(Form form);

// Feature maps of a segment: f32, bf16, u8 or s16.
Form form_of(DType type);
std::string_view name(Form form);
std::optional<Form> form_from(std::string_view name);

}  // namespace fye
