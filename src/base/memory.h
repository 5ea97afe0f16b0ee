// Memory: what this process holds and what the machine has left.
#pragma once

#include <cstdint>

namespace fye {

// Bytes of this process that are in memory now (resident set), after handing back what was freed.
int64_t resident_bytes();

// Bytes that new work may take without others being swapped out (MemAvailable of proc(5)).
int64_t free_bytes();

}  // namespace fye
