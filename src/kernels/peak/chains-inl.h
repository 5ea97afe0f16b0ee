// Twelve independent accumulator chains: enough to hide a latency of 6 cycles at two instructions a cycle.
#pragma once

#include <cstdint>

namespace fye {
namespace {

inline constexpr int kChains = 12;

#ifdef __aarch64__
#define FYE_VECTOR_REGISTER "+w"
#else
#define FYE_VECTOR_REGISTER "+v"
#endif

// Runs step(acc) on each chain `rounds` times. The empty assembly keeps every accumulator alive and in a
// register, so that nothing is folded away.
template <class Vector, class Step>
int64_t run_chains(int64_t rounds, int64_t macs_a_step, Vector zero, Step step) {
  Vector acc[kChains];
#pragma GCC unroll 12
  for (Vector& a : acc) {
    a = zero;
    asm volatile("" : FYE_VECTOR_REGISTER(a));
  }
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (Vector& a : acc) {
      a = step(a);
      asm volatile("" : FYE_VECTOR_REGISTER(a));
    }
  }
  return rounds * kChains * macs_a_step;
}

// A vector the compiler knows nothing about.
template <class Vector>
Vector opaque(Vector v) {
  asm volatile("" : FYE_VECTOR_REGISTER(v));
  return v;
}

}  // namespace
}  // namespace fye
