#include "kernels/peak/peak.h"

#include <algorithm>
#include <cstring>

#include "base/buffer.h"
#include "base/clock.h"
#include "kernels/peak/chains-inl.h"
#include "kernels/peak/loops.h"

namespace fye {

int64_t peak_f32_scalar(int64_t rounds) {
  const float x = opaque(0.f), w = opaque(1.f);
  return run_chains(rounds, 1, x, [=](float acc) { return acc + acc * w; });
}

namespace {

struct Loop {
  std::string_view name;
  Numbers numbers;
  Isa isa;
  bool needs_avx512_bf16;
  int64_t (*run)(int64_t rounds);
};
constexpr Loop kLoops[] = {
    {"f32 scalar", Numbers::f32, Isa::scalar, false, peak_f32_scalar},
    {"f32, 128 bits", Numbers::f32, Isa::portable, false, peak_f32_portable},
    {"int16 pairs, 128 bits", Numbers::int8, Isa::portable, false, peak_int16_portable},
#ifdef __x86_64__
    {"f32 FMA, AVX2", Numbers::f32, Isa::avx2, false, peak_f32_avx2},
    {"f32 FMA, AVX-512", Numbers::f32, Isa::avx512, false, peak_f32_avx512},
    {"bf16 vdpbf16ps, AVX-512", Numbers::bf16, Isa::avx512, true, peak_bf16_avx512},
    {"bf16 tiles, AMX", Numbers::bf16, Isa::amx, false, peak_bf16_amx},
    {"int16 maddwd, AVX2", Numbers::int8, Isa::avx2, false, peak_int16_maddwd_avx2},
    {"int8 maddubs, AVX2", Numbers::int8, Isa::avx2, false, peak_int8_maddubs_avx2},
    {"int8 vpdpbusd, AVX-VNNI", Numbers::int8, Isa::avx2vnni, false, peak_int8_avx2vnni},
    {"int8 vpdpbusd, AVX-512", Numbers::int8, Isa::avx512, false, peak_int8_avx512},
    {"int8 tiles, AMX", Numbers::int8, Isa::amx, false, peak_int8_amx},
#endif
};

constexpr double kRunMs = 3;  // long beside the clock's resolution, short beside a scheduler's time slice
constexpr int kRuns = 5;
constexpr size_t kCopyBytes = size_t(64)
                              << 20;  // beyond the last-level cache a core can expect to have to itself

double gmacs(int64_t (*run)(int64_t)) {
  int64_t rounds = 1000;
  for (;; rounds *= 2) {
    Stopwatch watch;
    run(rounds);
    if (watch.ms() > kRunMs) break;
  }
  double best = 0;
  for (int i = 0; i < kRuns; ++i) {
    Stopwatch watch;
    const int64_t macs = run(rounds);
    best = std::max(best, double(macs) / watch.ms() * 1e-6);
  }
  return best;
}

double copy_gb_per_second() {
  Buffer from(kCopyBytes), to(kCopyBytes);
  double best = 0;
  for (int i = 0; i < kRuns; ++i) {
    Stopwatch watch;
    std::memcpy(to.data(), from.data(), kCopyBytes);
    asm volatile("" : : "r"(to.data()) : "memory");
    best = std::max(best, 2.0 * double(kCopyBytes) / watch.ms() * 1e-6);
  }
  return best;
}

}  // namespace

double Peaks::best(Numbers numbers) const {
  double best = 0;
  for (const Peak& peak : compute)
    if (peak.numbers == numbers) best = std::max(best, peak.gmacs);
  return best;
}

Peaks measure_peaks(Isa max) {
  Peaks peaks;
  for (const Loop& loop : kLoops)
    if (may_use(loop.isa, max) && (!loop.needs_avx512_bf16 || machine_has_avx512_bf16()))
      peaks.compute.push_back({loop.name, loop.numbers, loop.isa, gmacs(loop.run)});
  peaks.copy_gb_per_second = copy_gb_per_second();
  return peaks;
}

}  // namespace fye
