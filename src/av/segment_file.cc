// Little endian, as the machine has it: the files live as long as one film is made. Tested by
// av/segment_file_test.cc.
#include "av/segment_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern "C" {
#include <libavutil/crc.h>
}

namespace fye::av {
namespace {

constexpr char kMagic[8] = {'f', 'y', 'e', 's', 'e', 'g', '1', '\n'};
constexpr uint32_t kPacket = 0x544b4350, kTail = 0x4c494154;  // "PCKT", "TAIL"
constexpr size_t kBlock = 1 << 20;
// Two seconds of film; more is no segment of ours.
constexpr int64_t kMostBytes = int64_t{8} << 30;

struct PacketHead {
  uint32_t mark, key;
  int64_t pts, duration, bytes;
};
struct Tail {
  uint32_t mark, sum;
  int64_t packets;
};

uint32_t sum_of(uint32_t sum, const void* bytes, size_t size) {
  return av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), sum, static_cast<const uint8_t*>(bytes), size);
}

Error damaged() { return bad_input("a finished segment is damaged"); }

}  // namespace

Result<SegmentWriter> SegmentWriter::begin(Descriptor file, const std::string& extra_data) {
  if (ftruncate(file.get(), 0) != 0) return error(AVERROR(errno), "can't write a segment");
  SegmentWriter writer(std::move(file));
  const int64_t size = int64_t(extra_data.size());
  if (auto s = writer.put(kMagic, sizeof(kMagic)); !s) return s.error();
  if (auto s = writer.put(&size, sizeof(size)); !s) return s.error();
  if (auto s = writer.put(extra_data.data(), extra_data.size()); !s) return s.error();
  return writer;
}

Status SegmentWriter::put(const void* bytes, size_t size) {
  sum_ = sum_of(sum_, bytes, size);
  block_.append(static_cast<const char*>(bytes), size);
  if (block_.size() < kBlock) return {};
  for (size_t done = 0; done < block_.size();) {
    const ssize_t put = write(file_.get(), block_.data() + done, block_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return error(AVERROR(put < 0 ? errno : EIO), "can't write a segment");
    done += size_t(put);
  }
  block_.clear();
  return {};
}

Status SegmentWriter::add(const StoredPacket& p) {
  const PacketHead head = {kPacket, p.key, p.pts, p.duration, int64_t(p.bytes.size())};
  ++packets_;
  if (auto s = put(&head, sizeof(head)); !s) return s;
  return put(p.bytes.data(), p.bytes.size());
}

Result<int64_t> SegmentWriter::finish() {
  const Tail tail = {kTail, sum_, packets_};
  block_.append(reinterpret_cast<const char*>(&tail), sizeof(tail));
  block_.reserve(kBlock);
  for (size_t done = 0; done < block_.size();) {
    const ssize_t put = write(file_.get(), block_.data() + done, block_.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return error(AVERROR(put < 0 ? errno : EIO), "can't write a segment");
    done += size_t(put);
  }
  if (fsync(file_.get()) != 0) return error(AVERROR(errno), "can't write a segment");
  return packets_;
}

Result<Segment> read_segment(const Descriptor& file) {
  struct stat info;
  if (fstat(file.get(), &info) != 0) return damaged();
  if (info.st_size < int64_t(sizeof(kMagic) + sizeof(int64_t) + sizeof(Tail)) || info.st_size > kMostBytes)
    return damaged();
  std::string bytes(size_t(info.st_size), '\0');
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got = pread(file.get(), bytes.data() + done, bytes.size() - done, off_t(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return damaged();
    done += size_t(got);
  }
  Tail tail;
  const size_t end = bytes.size() - sizeof(tail);
  std::memcpy(&tail, bytes.data() + end, sizeof(tail));
  if (tail.mark != kTail || std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0 ||
      tail.sum != sum_of(~0u, bytes.data(), end))
    return damaged();
  size_t at = sizeof(kMagic);
  const auto take = [&](void* into, size_t size) {
    if (size > end - at) return false;
    std::memcpy(into, bytes.data() + at, size);
    at += size;
    return true;
  };
  const auto take_text = [&](std::string& into, int64_t size) {
    if (size < 0 || size_t(size) > end - at) return false;
    into.assign(bytes, at, size_t(size));
    at += size_t(size);
    return true;
  };
  Segment segment;
  int64_t extra = 0;
  if (!take(&extra, sizeof(extra)) || !take_text(segment.extra_data, extra)) return damaged();
  while (at < end) {
    PacketHead head;
    StoredPacket packet;
    if (!take(&head, sizeof(head)) || head.mark != kPacket || !take_text(packet.bytes, head.bytes))
      return damaged();
    packet.pts = head.pts;
    packet.duration = head.duration;
    packet.key = head.key;
    segment.packets.push_back(std::move(packet));
  }
  if (int64_t(segment.packets.size()) != tail.packets) return damaged();
  return segment;
}

}  // namespace fye::av
