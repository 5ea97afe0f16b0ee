// The jobs of fye-av; each talks over the channel until it is done (video/protocol.h says how).
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "video/channel.h"

namespace fye::av {

Status probe(Channel& channel, const Json& job);   // what is in the film, and the plan for the others
Status decode(Channel& channel, const Json& job);  // frames into shared memory
Status encode(Channel& channel, const Json& job);  // frames from shared memory into segments
Status mux(Channel& channel, const Json& job);     // segments and the film's other streams into the output
Status escape(Channel& channel, const Json& job);  // tries what the sandbox forbids, and reports, for tests

}  // namespace fye::av
