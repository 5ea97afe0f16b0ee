// Short copies: runs of a few bytes as one 16-byte vector where that stays inside the row.
#pragma once

#include <cstddef>
#include <cstring>

namespace fye {

inline constexpr ptrdiff_t kShortCopy = 16;

// Copies `bytes` from `from` to `to`. If bytes <= 16 and both rooms - what may be read and written from there
// on - allow it, 16 bytes are copied: the caller overwrites the surplus later, so runs must be written from
// left to right.
inline void copy_run(std::byte* to, const std::byte* from, ptrdiff_t bytes, ptrdiff_t to_room,
                     ptrdiff_t from_room) {
  if (bytes <= kShortCopy && to_room >= kShortCopy && from_room >= kShortCopy) {
    std::memcpy(to, from, kShortCopy);
  } else {
    std::memcpy(to, from, size_t(bytes));
  }
}

}  // namespace fye
