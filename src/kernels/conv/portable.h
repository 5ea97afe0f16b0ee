// Convolutions through Google Highway: one source for the 128-bit vectors that nearly every machine has,
// SSSE3 on x86 and NEON on aarch64. See docs/decisions/highway.md.
#pragma once

#include "kernels/conv/direct.h"
#include "kernels/conv/winograd.h"

namespace fye {

extern const DirectCode kDirectF32Portable, kDirectInt8Portable;
extern const WinogradCode kWinogradF32Portable, kWinogradInt8Portable;

}  // namespace fye
