// The shared frames as fye-av sees them, and which of them are its own at the moment.
#pragma once

#include "base/json.h"
#include "video/shared_frames.h"

namespace fye::av {

// Job fields "slots" and "slot_bytes", the memory's descriptor is kMemoryFd. Errors: smaller than `needed`.
Result<SharedFrames> shared_frames_of(const Json& job, size_t needed);

}  // namespace fye::av
