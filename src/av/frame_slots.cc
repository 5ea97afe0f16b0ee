#include "av/frame_slots.h"

namespace fye::av {

Result<SharedFrames> shared_frames_of(const Json& job, size_t needed) {
  const size_t bytes = job.at("slot_bytes").get<size_t>();
  if (bytes < needed) return internal_error("the slots for frames are too small");
  return SharedFrames::open(Descriptor(kMemoryFd), job.at("slots").get<int>(), bytes);
}

}  // namespace fye::av
