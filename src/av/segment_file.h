// Segment files: the encoded packets of two seconds of film or so, complete or recognisably not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "av/ffmpeg.h"
#include "video/channel.h"

namespace fye::av {

// A packet; times are in the film's time base. Side data stays behind: no encoder here makes any that a
// container has to keep.
struct StoredPacket {
  int64_t pts = 0, duration = 0;
  bool key = false;
  std::string bytes;
};

// Written from start to end: a head with the encoder's extra data, packets, a tail with their number and a
// sum over everything. Errors (resources): the disk is full.
class SegmentWriter {
 public:
  static Result<SegmentWriter> begin(Descriptor file, const std::string& extra_data);
  Status add(const StoredPacket& packet);
  // The tail, and fsync. Returns the packets' number.
  Result<int64_t> finish();

 private:
  explicit SegmentWriter(Descriptor file) : file_(std::move(file)) {}
  Status put(const void* bytes, size_t size);
  Descriptor file_;
  std::string block_;
  uint32_t sum_ = ~0u;
  int64_t packets_ = 0;
};

// The whole file, checked. Errors (bad_input): it is damaged.
struct Segment {
  std::string extra_data;
  std::vector<StoredPacket> packets;  // in the order of decoding
};
Result<Segment> read_segment(const Descriptor& file);

}  // namespace fye::av
