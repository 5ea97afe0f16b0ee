// Identity: what plan.json and book.json share - the machine and the limits of sizes, times and losses.
#pragma once

#include "base/json.h"
#include "profile/fields.h"
#include "profile/profile.h"

namespace fye {

inline constexpr int kMostSide = 1 << 20;               // pixels; larger than any picture that fye reads
inline constexpr double kMostMs = 24 * 3600 * 1000.;    // a day
inline constexpr double kMostMsef = 255. * 255 * 1000;  // sums of parts may exceed the largest distance

Json json_of(const MachineId& machine);
// Of the field "machine".
Result<MachineId> read_machine(const FieldReader& in);

}  // namespace fye
