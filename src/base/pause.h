// A breath inside a loop that waits.
#pragma once

namespace fye {

// Leaves the core's units to its other thread for a moment.
inline void pause_briefly() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");  // `yield` does nothing on cores that run one thread
#endif
}

}  // namespace fye
