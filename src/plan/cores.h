// Times on one core: what a profile of one thread says of processors that stay on a core
// (processors/pinned.h).
#pragma once

#include <span>

#include "base/result.h"
#include "processors/processor.h"
#include "profile/losses.h"
#include "profile/profile.h"

namespace fye {

// Adds each of `processors` that is on a core to both, with what the processor without a core has there.
// `losses` may be null. Errors: a profile of several threads, which says nothing about one core.
Status add_cores(std::span<const Processor* const> processors, Profile& profile, Losses* losses);

}  // namespace fye
