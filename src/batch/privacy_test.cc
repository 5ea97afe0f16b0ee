#include "batch/privacy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <vector>

namespace fye {
namespace {

// A TIFF block: IFD0 with Make, the pointer to a GPS IFD (latitude as three rationals) and one more tag.
std::string block(bool little) {
  std::string bytes = little ? std::string("II*\0", 4) : std::string("MM\0*", 4);
  const auto put = [&](uint32_t value, int size) {
    for (int i = 0; i < size; ++i) bytes += char(value >> 8 * (little ? i : size - 1 - i));
  };
  const auto entry = [&](uint32_t tag, uint32_t type, uint32_t count, uint32_t value) {
    put(tag, 2), put(type, 2), put(count, 4), put(value, 4);
  };
  put(8, 4);  // IFD0: 8, 3 entries, ends at 8 + 2 + 36 + 4 = 50
  put(3, 2);
  entry(0x010F, 2, 6, 50);     // Make at 50..56
  entry(0x8825, 4, 1, 56);     // GPS IFD: 56, 2 entries, ends at 86
  entry(0x9999, 4, 1, 0x1234);
  put(0, 4);
  bytes += std::string("Canon\0", 6);
  put(2, 2);
  entry(1, 2, 2, little ? uint32_t('N') : uint32_t('N') << 24);
  entry(2, 5, 3, 86);
  put(0, 4);
  for (const uint32_t part : {48u, 1u, 51u, 1u, 2944u, 100u}) put(part, 4);
  return bytes;
}

class Privacy : public testing::TestWithParam<bool> {};

TEST_P(Privacy, TheGpsBlockIsGoneAndTheRestStays) {
  Metadata metadata;
  metadata.exif = block(GetParam());
  const std::string before = metadata.exif;
  apply(MetadataRule::safe, metadata);
  ASSERT_EQ(metadata.exif.size(), before.size());
  EXPECT_NE(metadata.exif.find("Canon"), std::string::npos);
  EXPECT_EQ(metadata.exif.substr(56), std::string(before.size() - 56, '\0')) << "the GPS IFD and its values";
  EXPECT_EQ(metadata.exif.substr(34, 12), before.substr(34, 12)) << "the entry behind it";
  const std::string once = metadata.exif;
  apply(MetadataRule::safe, metadata);
  EXPECT_EQ(metadata.exif, once);
}

TEST_P(Privacy, ABrokenBlockIsDropped) {
  const std::string good = block(GetParam());
  for (size_t length = 1; length < 86; ++length) {
    Metadata metadata;
    metadata.exif = good.substr(0, length);
    apply(MetadataRule::safe, metadata);
    EXPECT_TRUE(metadata.exif.empty()) << length;
  }
}

RC_GTEST_PROP(PrivacyOfAnything, NeverLeavesTheBlock, ()) {
  Metadata metadata;
  metadata.exif = block(*rc::gen::arbitrary<bool>());
  for (int i = 0; i < 6; ++i) metadata.exif[*rc::gen::inRange<size_t>(4, metadata.exif.size())] = *rc::gen::arbitrary<char>();
  const size_t size = metadata.exif.size();
  apply(MetadataRule::safe, metadata);
  RC_ASSERT(metadata.exif.empty() || metadata.exif.size() == size);
}

TEST(Rules, XmpAndIptc) {
  Metadata metadata;
  metadata.xmp = "<x:xmpmeta><dc:title>Boat</dc:title></x:xmpmeta>";
  metadata.iptc = "city";
  apply(MetadataRule::safe, metadata);
  EXPECT_FALSE(metadata.xmp.empty());
  EXPECT_TRUE(metadata.iptc.empty());
  metadata.xmp = "<exif:GPSLatitude>48,51N</exif:GPSLatitude>";
  apply(MetadataRule::safe, metadata);
  EXPECT_TRUE(metadata.xmp.empty());
}

TEST(Rules, StripKeepsTheColourProfileAlone) {
  Metadata metadata{"profile", block(true), "xmp", "iptc", 3, 3, {"a sentence"}};
  apply(MetadataRule::strip, metadata);
  EXPECT_EQ(metadata.icc, "profile");
  EXPECT_TRUE(metadata.exif.empty() && metadata.xmp.empty() && metadata.iptc.empty() && metadata.lost.empty());
  EXPECT_EQ(metadata.pixels_per_mm_x, 3);
}

TEST(Rules, KeepKeepsAll) {
  Metadata metadata{"profile", "exif", "xmp", "iptc", 3, 3, {}};
  apply(MetadataRule::keep, metadata);
  EXPECT_EQ(metadata.exif + metadata.xmp + metadata.iptc, "exifxmpiptc");
}

INSTANTIATE_TEST_SUITE_P(BothByteOrders, Privacy, testing::Bool());

}  // namespace
}  // namespace fye
