#include "base/isa.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace fye {
namespace {

constexpr std::array<std::string_view, std::size(kAllIsas)> kNames = {"scalar",   "portable", "avx2",
                                                                      "avx2vnni", "avx512",   "amx"};

#ifdef __x86_64__

// AMX tile data is state component 18; Linux hands it out on request (arch_prctl, ARCH_REQ_XCOMP_PERM = 0x1023).
bool amx_granted() {
  static const bool granted = syscall(SYS_arch_prctl, 0x1023, 18) == 0;
  return granted;
}

// CPUID leaf 7: AVX-VNNI is subleaf 1 EAX bit 4, AVX512_BF16 EAX bit 5; AMX-BF16, AMX-TILE, AMX-INT8 are subleaf 0 EDX
// bits 22, 24, 25 (Intel SDM, volume 2A, CPUID).
struct Leaf7 {
  unsigned edx0 = 0, eax1 = 0;
};
Leaf7 leaf7() {
  Leaf7 leaf;
  unsigned a, b, c, d;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) leaf.edx0 = d;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d)) leaf.eax1 = a;
  return leaf;
}

bool detect(Isa isa) {
  __builtin_cpu_init();
  switch (isa) {
    case Isa::scalar:
      return true;
    case Isa::portable:
      return __builtin_cpu_supports("ssse3");
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx2vnni:
      return detect(Isa::avx2) && (leaf7().eax1 >> 4 & 1);
    case Isa::avx512:
      return detect(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
    case Isa::amx: {
      constexpr unsigned kTiles = 1u << 22 | 1u << 24 | 1u << 25;
      return detect(Isa::avx512) && (leaf7().edx0 & kTiles) == kTiles && amx_granted();
    }
  }
  return false;
}

bool detect_avx512_bf16() { return detect(Isa::avx512) && (leaf7().eax1 >> 5 & 1); }
#else
bool detect(Isa isa) { return isa <= Isa::portable; }  // NEON is in every aarch64
bool detect_avx512_bf16() { return false; }
#endif

std::string read_cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0)
      if (auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown";
}

}  // namespace

std::string_view name(Isa isa) { return kNames[static_cast<size_t>(isa)]; }

std::optional<Isa> isa_from(std::string_view text) {
  for (Isa isa : kAllIsas)
    if (name(isa) == text) return isa;
  return std::nullopt;
}

bool machine_has(Isa isa) {
  static const std::array<bool, std::size(kAllIsas)> has = [] {
    std::array<bool, std::size(kAllIsas)> found{};
    for (Isa each : kAllIsas) found[static_cast<size_t>(each)] = detect(each);
    return found;
  }();
  return has[static_cast<size_t>(isa)];
}

bool machine_has_avx512_bf16() {
  static const bool has = detect_avx512_bf16();
  return has;
}

Isa widest_isa() {
  Isa widest = Isa::scalar;
  for (Isa isa : kAllIsas)
    if (machine_has(isa)) widest = isa;
  return widest;
}

Isa active_isa() {
  static const Isa active = [] {
    const char* wish = std::getenv("FYE_MAX_ISA");
    std::optional<Isa> limit = wish ? isa_from(wish) : std::nullopt;
    if (!limit) return widest_isa();
    Isa best = Isa::scalar;
    for (Isa isa : kAllIsas)
      if (may_use(isa, *limit)) best = isa;
    return best;
  }();
  return active;
}

bool may_use(Isa isa, Isa max) { return isa <= max && machine_has(isa); }

std::string_view cpu_model() {
  static const std::string model = read_cpu_model();
  return model;
}

}  // namespace fye
