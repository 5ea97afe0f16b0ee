// Frames in memory that fye and fye-av share: a fixed number of slots of one size, handed to and fro by
// number.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "video/channel.h"

namespace fye {

// A slot belongs to one side at a time; messages (video/protocol.h) hand it over. Their number bounds the
// queue. The file behind can't shrink (sealed), so that neither side can make the other touch missing memory.
class SharedFrames {
 public:
  // New, zero-filled. Errors (resources).
  static Result<SharedFrames> create(int slots, size_t slot_bytes);
  // Of the other side. Errors (internal): the file is smaller than that.
  static Result<SharedFrames> open(Descriptor file, int slots, size_t slot_bytes);
  SharedFrames(SharedFrames&& other) noexcept;
  SharedFrames& operator=(SharedFrames&&) = delete;
  ~SharedFrames();

  int slots() const { return slots_; }
  // 0 <= slot < slots(); slot_bytes of it, 64-byte aligned.
  std::span<uint8_t> slot(int slot) const;
  int fd() const { return file_.get(); }

 private:
  SharedFrames(Descriptor file, uint8_t* memory, int slots, size_t slot_bytes);
  Descriptor file_;
  uint8_t* memory_;
  int slots_;
  size_t slot_bytes_, stride_;
};

}  // namespace fye
