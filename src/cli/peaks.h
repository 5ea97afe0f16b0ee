// What this machine's arithmetic units and memory can do, measured once and kept in a file for later runs.
#pragma once

#include <optional>

#include "base/isa.h"
#include "base/json.h"
#include "graph/tensor.h"

namespace fye {

enum class Refresh { no, yes };

// Rows {"what": "f32" | "bf16" | "int8" | "copy", "name", "isa", "value", "unit": "GMAC/s" | "GB/s"} of one
// thread under the active instruction set (kernels/peak/peak.h). From $XDG_CACHE_HOME/fye/peaks.json
// (~/.cache without it) if that was written on this CPU by this build; else, or with Refresh::yes, measured
// in less than a second and stored. A file that can't be written is no error.
Json measured_peaks(Refresh refresh);

// Only what is stored, if anything fits.
std::optional<Json> stored_peaks();

// The fastest way to multiply in `numbers`, GMAC/s of one thread; 0 if there is none.
double peak_gmacs(const Json& peaks, Numbers numbers);

}  // namespace fye
