// What the narrow kernels need of a 128-bit vector of sums, for float and for int32.
#pragma once

#include "kernels/conv/direct-inl.h"
#include "kernels/highway128-inl.h"

namespace fye {
namespace {

#if HWY_ARCH_ARM_A64
inline constexpr bool kManyRegisters = true;
#else
inline constexpr bool kManyRegisters = false;
#endif

// Sums of 4 lanes: Tag is F32x4 or S32x4.
template <class Tag>
struct Sums4 {
  using Vector = hn::Vec<Tag>;
  static constexpr int kLanes = 4;

  static Vector zero() { return hn::Zero(Tag()); }
  static Vector plus(Vector a, Vector b) { return hn::Add(a, b); }
  static Vector sum4(Vector a, Vector b, Vector c, Vector d) {
    const Tag tag;
    const Vector ab = hn::Add(hn::InterleaveLower(tag, a, b), hn::InterleaveUpper(tag, a, b));
    const Vector cd = hn::Add(hn::InterleaveLower(tag, c, d), hn::InterleaveUpper(tag, c, d));
    return hn::Add(hn::ConcatLowerLower(tag, cd, ab), hn::ConcatUpperUpper(tag, cd, ab));
  }
  static Vector lanes(Vector sums, int first) {
    const Tag tag;
    return first == 0   ? sums
           : first == 1 ? hn::ShiftRightLanes<1>(tag, sums)
           : first == 2 ? hn::ShiftRightLanes<2>(tag, sums)
                        : hn::ShiftRightLanes<3>(tag, sums);
  }
};

}  // namespace
}  // namespace fye
