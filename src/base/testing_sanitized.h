// Whether this build watches every memory access: tests that repeat one thing many times do it less often there.
#pragma once

namespace fye::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace fye::testing
