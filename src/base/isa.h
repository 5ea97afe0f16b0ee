// Which instruction set the machine has and the user allows: the one place that asks the CPU.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace fye {

// In ascending order; each one includes those before it as far as fye's kernels use them, except that avx512 does not
// imply the AVX-VNNI encoding (avx512 kernels use the EVEX one).
enum class Isa {
  scalar,    // plain C++: the reference kernels
  portable,  // 128-bit vectors through Google Highway: SSSE3 on x86, NEON on aarch64
  avx2,      // AVX2, FMA, F16C
  avx2vnni,  // + AVX-VNNI (vpdpbusd on 256 bits)
  avx512,    // AVX-512 F, BW, VL, DQ and VNNI
  amx,       // + AMX tiles, int8 and bf16
};

inline constexpr Isa kAllIsas[] = {Isa::scalar,   Isa::portable, Isa::avx2,
                                   Isa::avx2vnni, Isa::avx512,   Isa::amx};

std::string_view name(Isa isa);
std::optional<Isa> isa_from(std::string_view name);

// True if this CPU and kernel can run code for `isa` (AMX includes asking the kernel for the tile state, once per process).
bool machine_has(Isa isa);

// True if AVX512_BF16 (vdpbf16ps) is there; AMX machines have it too.
bool machine_has_avx512_bf16();

// The widest set the machine has.
Isa widest_isa();

// The set that dispatch uses: widest_isa(), narrowed by the environment variable FYE_MAX_ISA. A name that is not known or
// that the machine lacks narrows to the widest available set below it; `fye doctor` says so. Read once per process.
Isa active_isa();

// True if kernels for `isa` may be chosen under the limit `max`: the machine has it and it is not above `max`.
bool may_use(Isa isa, Isa max);

// "AMD EPYC 9R14" or the like; "unknown" where the kernel doesn't say.
std::string_view cpu_model();

}  // namespace fye
