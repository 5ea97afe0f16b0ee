// Google Highway's vectors of 128 bits: SSSE3 or NEON, by the compiler's flags (static dispatch: the tables
// of the kernels ask the machine, see docs/decisions/highway.md).
#pragma once

#include <cstdint>

// Vectors whose size isn't known to the compiler can't be kept in arrays, as the kernels' loops do.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
// Highway's own assertions would need its library; everything else is in the headers.
#define HWY_IS_DEBUG_BUILD 0
#include <hwy/highway.h>

namespace fye {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using F32x4 = hn::FixedTag<float, 4>;
using S32x4 = hn::FixedTag<int32_t, 4>;
using S16x8 = hn::FixedTag<int16_t, 8>;
using U8x16 = hn::FixedTag<uint8_t, 16>;
static_assert(sizeof(hn::Vec<F32x4>) == 16 && sizeof(hn::Vec<S32x4>) == 16);

}  // namespace
}  // namespace fye
