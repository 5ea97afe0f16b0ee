// A window of rows that moves down a picture or a map: appended at the end, given up at the beginning.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/buffer.h"

namespace fye {

// Rows [first, end) of `row_bytes` each, packed one after the other, with room behind the last for kernels
// that load whole vectors. Pointers are valid until the next append() or drop_before(). Throws
// std::bad_alloc.
class RowWindow {
 public:
  RowWindow() = default;
  explicit RowWindow(size_t row_bytes) : row_bytes_(row_bytes) {}

  int first() const { return first_; }
  int end() const { return end_; }
  size_t row_bytes() const { return row_bytes_; }
  int64_t bytes() const { return int64_t(buffer_.size()); }

  std::byte* row(int y) { return buffer_.data() + size_t(y - base_) * row_bytes_; }
  const std::byte* row(int y) const { return buffer_.data() + size_t(y - base_) * row_bytes_; }
  uint8_t* u8(int y) { return reinterpret_cast<uint8_t*>(row(y)); }
  const uint8_t* u8(int y) const { return reinterpret_cast<const uint8_t*>(row(y)); }

  // `count` more rows, contents undefined; returns the first of them.
  std::byte* append(int count) {
    if (end_ + count - base_ > capacity_) make_room(count);
    std::byte* start = row(end_);
    end_ += count;
    return start;
  }
  // Rows from `y` on are taken back.
  void shorten(int y) { end_ = std::clamp(y, first_, end_); }
  void drop_before(int y) { first_ = std::clamp(y, first_, end_); }

 private:
  void make_room(int count) {
    const int held = end_ - first_;
    // Moving is rare where there is half as much room again.
    const int wanted = held + count + (held + count) / 2 + 1;
    if (held + count > capacity_ * 2 / 3) {
      Buffer larger(size_t(wanted) * row_bytes_);
      if (held > 0) std::memcpy(larger.data(), row(first_), size_t(held) * row_bytes_);
      buffer_ = std::move(larger);
      capacity_ = wanted;
    } else if (held > 0) {
      std::memmove(buffer_.data(), row(first_), size_t(held) * row_bytes_);
    }
    base_ = first_;
  }

  size_t row_bytes_ = 0;
  int base_ = 0, first_ = 0, end_ = 0, capacity_ = 0;  // base: the row at the buffer's start
  Buffer buffer_;
};

}  // namespace fye
