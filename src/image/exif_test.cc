#include "image/exif.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "image/testing_exif.h"

namespace fye {
namespace {

using testing::exif_block;
using testing::exif_number;

TEST(Exif, OrientationBecomesOneAndTheThumbnailIsUnlinked) {
  for (const bool little : {false, true}) {
    for (const bool prefix : {false, true}) {
      std::string exif = exif_block(6, 640, 480, little);
      if (prefix) exif.insert(0, "Exif\0\0", 6);
      std::string changed = exif;
      reset_orientation(changed);
      ASSERT_EQ(changed.size(), exif.size());
      if (prefix) changed.erase(0, 6);
      EXPECT_EQ(exif_number(changed, 0x0112), 1);
      EXPECT_EQ(exif_number(changed, testing::kNextDirectory), 0);
      EXPECT_EQ(exif_number(changed, 0xA002), 640);
      EXPECT_TRUE(changed.find("a camera") != changed.npos);
    }
  }
}

TEST(Exif, OnlyTheNamedFieldsChange) {
  const std::string before = exif_block(3, 640, 480, true);
  std::string after = before;
  reset_orientation(after);
  int different = 0;
  for (size_t i = 0; i < before.size(); ++i) different += before[i] != after[i];
  EXPECT_LE(different, 2 + 4);  // the orientation's SHORT and the link
}

TEST(Exif, DimensionsFollowThePicture) {
  for (const bool little : {false, true}) {
    std::string exif = exif_block(1, 640, 480, little);
    set_dimensions(exif, 1280, 960);
    EXPECT_EQ(exif_number(exif, 0xA002), 1280);
    EXPECT_EQ(exif_number(exif, 0xA003), 960);
    set_dimensions(exif, 100'000, 70'000);  // too large for the SHORT that the field was
    EXPECT_EQ(exif_number(exif, 0xA002), 100'000);
    EXPECT_EQ(exif_number(exif, 0xA003), 70'000);
  }
}

TEST(Exif, MalformedBlocksStay) {
  for (const std::string& bad :
       {std::string(), std::string("Exif\0\0", 6), std::string("II*\0", 4), std::string("nonsense"),
        std::string("MM\0*\xff\xff\xff\xff", 8), std::string("II*\0\x08\0\0\0\xff\xff", 10)}) {
    std::string changed = bad;
    reset_orientation(changed);
    set_dimensions(changed, 10, 10);
    EXPECT_EQ(changed, bad);
  }
}

RC_GTEST_PROP(Exif, AnyBytesAreSafeAndKeepTheirSize, (bool little)) {
  std::string exif = exif_block(6, 640, 480, little);
  const int flips = *rc::gen::inRange(1, 20);
  for (int i = 0; i < flips; ++i)
    exif[*rc::gen::inRange<size_t>(4, exif.size())] = *rc::gen::arbitrary<char>();
  exif.resize(*rc::gen::inRange<size_t>(0, exif.size() + 1));
  std::string changed = exif;
  reset_orientation(changed);
  set_dimensions(changed, 7, 9);
  RC_ASSERT(changed.size() == exif.size());
}

}  // namespace
}  // namespace fye
