#include "av/segment_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace fye::av {
namespace {

Descriptor some_file() { return Descriptor(memfd_create("segment", MFD_CLOEXEC)); }
Descriptor again(const Descriptor& file) { return Descriptor(dup(file.get())); }

void fill(const Descriptor& file, const std::string& extra, const std::vector<StoredPacket>& packets) {
  auto writer = SegmentWriter::begin(again(file), extra);
  ASSERT_TRUE(writer);
  for (const StoredPacket& packet : packets) ASSERT_TRUE(writer->add(packet));
  const auto count = writer->finish();
  ASSERT_TRUE(count);
  ASSERT_EQ(*count, int64_t(packets.size()));
}

std::vector<StoredPacket> some_packets(int count) {
  std::vector<StoredPacket> packets;
  for (int i = 0; i < count; ++i)
    packets.push_back({.pts = i * 512 - 700,
                       .duration = 512,
                       .key = i == 0,
                       .bytes = std::string(size_t(i * 977 % 4000), char(i))});
  return packets;
}

RC_GTEST_PROP(SegmentFile, ComesBackAsItWas,
              (const std::string& extra, const std::vector<std::string>& bodies)) {
  std::vector<StoredPacket> packets;
  for (const std::string& body : bodies)
    packets.push_back(
        {*rc::gen::arbitrary<int64_t>(), *rc::gen::arbitrary<int64_t>(), *rc::gen::arbitrary<bool>(), body});
  const Descriptor file = some_file();
  fill(file, extra, packets);
  const auto got = read_segment(file);
  RC_ASSERT(bool(got));
  RC_ASSERT(got->extra_data == extra);
  RC_ASSERT(got->packets.size() == packets.size());
  for (size_t i = 0; i < packets.size(); ++i) {
    RC_ASSERT(got->packets[i].pts == packets[i].pts && got->packets[i].duration == packets[i].duration);
    RC_ASSERT(got->packets[i].key == packets[i].key && got->packets[i].bytes == packets[i].bytes);
  }
}

TEST(SegmentFile, LargerThanItsBlocks) {
  const Descriptor file = some_file();
  std::vector<StoredPacket> packets = some_packets(5);
  packets[2].bytes.assign(5 << 20, 'b');
  fill(file, "head", packets);
  const auto got = read_segment(file);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->packets[2].bytes, packets[2].bytes);
  EXPECT_EQ(got->packets[4].bytes, packets[4].bytes);
}

TEST(SegmentFile, ReplacesWhatWasThere) {
  const Descriptor file = some_file();
  fill(file, "a longer head", some_packets(9));
  lseek(file.get(), 0, SEEK_SET);
  fill(file, "short", some_packets(2));
  const auto got = read_segment(file);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->packets.size(), 2u);
}

TEST(SegmentFile, AnyOtherByteIsFound) {
  const Descriptor file = some_file();
  fill(file, "head", some_packets(3));
  const off_t size = lseek(file.get(), 0, SEEK_END);
  for (off_t at = 0; at < size; at += at < 200 || at > size - 40 ? 1 : 13) {
    char byte;
    ASSERT_EQ(pread(file.get(), &byte, 1, at), 1);
    const char other = char(byte ^ 0x10);
    ASSERT_EQ(pwrite(file.get(), &other, 1, at), 1);
    EXPECT_FALSE(read_segment(file)) << at;
    ASSERT_EQ(pwrite(file.get(), &byte, 1, at), 1);
  }
  EXPECT_TRUE(read_segment(file));
}

TEST(SegmentFile, CutOffAnywhereIsFound) {
  const Descriptor file = some_file();
  fill(file, "head", some_packets(3));
  for (off_t size = lseek(file.get(), 0, SEEK_END) - 1; size >= 0; size -= size < 60 ? 1 : 17) {
    ASSERT_EQ(ftruncate(file.get(), size), 0);
    EXPECT_FALSE(read_segment(file)) << size;
  }
}

TEST(SegmentFile, UnfinishedIsNone) {
  const Descriptor file = some_file();
  {
    auto writer = SegmentWriter::begin(again(file), "head");
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->add({.pts = 1, .duration = 1, .key = true, .bytes = std::string(2 << 20, 'x')}));
  }
  EXPECT_FALSE(read_segment(file));
}

TEST(SegmentFile, AFullDiskIsSaid) {
  auto writer = SegmentWriter::begin(Descriptor(open("/dev/full", O_RDWR | O_CLOEXEC)), "");
  if (!writer) return;  // ftruncate may say it already
  const Status added =
      writer->add({.pts = 0, .duration = 1, .key = true, .bytes = std::string(3 << 20, 'x')});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::resources);
  EXPECT_NE(added.error().what.find("No space left"), std::string::npos);
}

}  // namespace
}  // namespace fye::av
