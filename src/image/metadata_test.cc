// What a file carries beside its pixels, through writing and reading again.
#include <gtest/gtest.h>

#include "image/container.h"
#include "image/file.h"
#include "image/testing_exif.h"
#include "image/testing_pictures.h"
#include "image/vips.h"

namespace fye {
namespace {

using namespace std::string_literals;
using testing::contains;
using testing::Folder;
using testing::pattern;

// One of the profiles inside libvips: "srgb", "p3", "cmyk".
std::string profile(const char* name) {
  EXPECT_TRUE(start_vips());
  VipsBlob* blob = nullptr;
  EXPECT_EQ(vips_profile_load(name, &blob, nullptr), 0) << vips_reason();
  size_t size = 0;
  const void* data = vips_blob_get(blob, &size);
  std::string bytes(static_cast<const char*>(data), size);
  vips_area_unref(VIPS_AREA(blob));
  return bytes;
}

const std::string kXmp =
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'/><?xpacket "
    "end='w'?>";

Picture with_everything(int channels, int bits) {
  Picture picture = pattern(32, 20, channels, bits);
  picture.metadata.icc = profile("p3");
  picture.metadata.exif = testing::exif_block(1, 32, 20, true);
  picture.metadata.xmp = kXmp;
  picture.metadata.pixels_per_mm_x = 10;
  picture.metadata.pixels_per_mm_y = 20;
  return picture;
}

Picture written_and_read(const Picture& picture, const std::filesystem::path& path, size_t notices = 0) {
  const auto written = write_picture(picture, path);
  EXPECT_TRUE(written) << written.error().text();
  EXPECT_EQ(written ? written->size() : notices, notices) << path;
  auto read = read_picture(path);
  EXPECT_TRUE(read) << read.error().text();
  return read ? *read : Picture();
}

TEST(Metadata, PngJpegAndWebpKeepTheBytes) {
  const Folder folder;
  for (const char* file : {"p.png", "p.jpg", "p.webp"}) {
    const Picture picture = with_everything(3, 8);
    const Metadata read = written_and_read(picture, folder / file).metadata;
    EXPECT_EQ(read.icc, picture.metadata.icc) << file;
    EXPECT_EQ(read.exif, picture.metadata.exif) << file;
    EXPECT_EQ(read.xmp, picture.metadata.xmp) << file;
    EXPECT_TRUE(read.lost.empty());
    // A second turn finds the same.
    const Metadata again = written_and_read(*read_picture(folder / file), folder / file).metadata;
    EXPECT_EQ(again.icc, picture.metadata.icc) << file;
    EXPECT_EQ(again.exif, picture.metadata.exif) << file;
    EXPECT_EQ(again.xmp, picture.metadata.xmp) << file;
  }
}

TEST(Metadata, AllKindsOfPngKeepTheBytes) {
  const Folder folder;
  for (const int bits : {8, 16}) {
    for (const int channels : {3, 4}) {
      const Picture picture = with_everything(channels, bits);
      const Metadata read = written_and_read(picture, folder / "p.png").metadata;
      EXPECT_EQ(read.icc, picture.metadata.icc);
      EXPECT_EQ(read.exif, picture.metadata.exif);
      EXPECT_EQ(read.xmp, picture.metadata.xmp);
    }
  }
}

TEST(Metadata, TiffKeepsIccAndXmpAndSaysThatExifIsLost) {
  const Folder folder;
  const Picture picture = with_everything(3, 8);
  const auto written = write_picture(picture, folder / "p.tif");
  ASSERT_TRUE(written);
  ASSERT_EQ(written->size(), 1u);
  EXPECT_TRUE(contains(written->front(), "EXIF")) << written->front();
  const auto read = read_picture(folder / "p.tif");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->metadata.icc, picture.metadata.icc);
  EXPECT_EQ(read->metadata.xmp, picture.metadata.xmp);
  EXPECT_EQ(read->metadata.exif, "");
}

TEST(Metadata, ResolutionIsKeptWhereStatedAndNotInvented) {
  const Folder folder;
  for (const char* file : {"p.png", "p.jpg", "p.tif"}) {
    const Metadata read = written_and_read(with_everything(3, 8), folder / file, file == "p.tif"s).metadata;
    EXPECT_NEAR(read.pixels_per_mm_x, 10, 0.01) << file;
    EXPECT_NEAR(read.pixels_per_mm_y, 20, 0.01) << file;
  }
  for (const char* file : {"p.png", "p.jpg", "p.webp"}) {
    const Metadata read = written_and_read(pattern(8, 8, 3), folder / file).metadata;
    EXPECT_EQ(read.pixels_per_mm_x, 0) << file;
    EXPECT_EQ(read.pixels_per_mm_y, 0) << file;
  }
}

TEST(Metadata, NothingIsAddedToABarePicture) {
  const Folder folder;
  for (const char* file : {"p.png", "p.jpg", "p.webp"}) {
    const Metadata read = written_and_read(pattern(8, 8, 3), folder / file).metadata;
    EXPECT_EQ(read.exif, "") << file;
    EXPECT_EQ(read.icc, "") << file;
    EXPECT_EQ(read.xmp, "") << file;
    const std::string bytes = testing::load(folder / file);
    for (const char* mark : {"Exif", "eXIf", "EXIF", "pHYs", "iCCP", "ICC_PROFILE", "tEXt"}) {
      EXPECT_FALSE(contains(bytes, mark)) << file << ' ' << mark;
    }
  }
}

TEST(Metadata, ExifDimensionsFollowThePicture) {
  const Folder folder;
  Picture picture = pattern(64, 40, 3);
  picture.metadata.exif = testing::exif_block(1, 32, 20, false);
  for (const char* file : {"p.png", "p.jpg", "p.webp"}) {
    const Metadata read = written_and_read(picture, folder / file).metadata;
    EXPECT_EQ(testing::exif_number(read.exif, 0xA002), 64) << file;
    EXPECT_EQ(testing::exif_number(read.exif, 0xA003), 40) << file;
  }
}

TEST(Metadata, LongProfilesSpanSeveralJpegSegments) {
  const Folder folder;
  Picture picture = pattern(8, 8, 3);
  picture.metadata.icc = profile("p3");
  picture.metadata.icc += std::string(150'000, 'x');
  // The profile's own length field has to agree, or readers refuse it.
  picture.metadata.icc.replace(0, 4, testing::big_endian(static_cast<uint32_t>(picture.metadata.icc.size())));
  EXPECT_EQ(written_and_read(picture, folder / "p.jpg").metadata.icc, picture.metadata.icc);
}

TEST(Metadata, BlocksTooLargeForJpegAreNamed) {
  const Folder folder;
  Picture picture = pattern(8, 8, 3);
  picture.metadata.exif = testing::exif_block(1, 8, 8, true) + std::string(70'000, 'x');
  picture.metadata.xmp = kXmp + std::string(70'000, ' ');
  const auto written = write_picture(picture, folder / "p.jpg");
  ASSERT_TRUE(written);
  ASSERT_EQ(written->size(), 2u);
  EXPECT_TRUE(contains(written->at(0), "EXIF")) << written->at(0);
  EXPECT_TRUE(contains(written->at(1), "XMP")) << written->at(1);
  EXPECT_TRUE(read_picture(folder / "p.jpg"));
}

TEST(Metadata, IptcGoesFromJpegToJpegAlone) {
  const Folder folder;
  const std::string bare = "\x1c\x02\x78\0\x05hello"s;  // caption
  const std::string wrapped = "Photoshop 3.0\0"s + "8BIM\x04\x04\0\0"s + testing::big_endian(10) + bare;
  Picture picture = pattern(8, 8, 3);
  picture.metadata.iptc = wrapped;
  EXPECT_EQ(written_and_read(picture, folder / "p.jpg").metadata.iptc, wrapped);
  EXPECT_EQ(written_and_read(picture, folder / "p.png", 1).metadata.iptc, "");
  EXPECT_EQ(written_and_read(picture, folder / "p.webp", 1).metadata.iptc, "");
  EXPECT_EQ(written_and_read(picture, folder / "p.tif", 1).metadata.iptc, "");
  picture.metadata.iptc = bare;  // as TIFF has it
  EXPECT_EQ(written_and_read(picture, folder / "p.jpg", 1).metadata.iptc, "");
}

TEST(Metadata, WhatReadingLostIsSaidWhenWriting) {
  const Folder folder;
  Picture picture = pattern(8, 8, 3);
  picture.metadata.lost = {"something stayed behind"};
  const auto written = write_picture(picture, folder / "p.png");
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, picture.metadata.lost);
}

TEST(Metadata, ExifHiddenInATiffIsSaid) {
  // Little-endian TIFF, one strip of one grey pixel, ten tags with an Exif IFD among them.
  const auto put = [](int64_t value, int size) { return testing::exif_put(value, size, true); };
  const auto entry = [&](int tag, int type, int64_t value) {
    return put(tag, 2) + put(type, 2) + put(1, 4) + put(value, 4);
  };
  const int strip = 8 + 2 + 9 * 12 + 4, exif = strip + 2;
  std::string tiff = "II*\0"s + put(8, 4) + put(9, 2);
  tiff += entry(256, 3, 1) + entry(257, 3, 1) + entry(258, 3, 8) + entry(259, 3, 1) + entry(262, 3, 1) +
          entry(273, 4, strip) + entry(278, 3, 1) + entry(279, 4, 1) + entry(0x8769, 4, exif);
  tiff += put(0, 4) + "\x80\0"s;
  tiff += put(1, 2) + entry(0xA001, 3, 1) + put(0, 4);
  const Folder folder;
  testing::store(folder / "p.tif", tiff);
  const auto read = read_picture(folder / "p.tif");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->bytes, std::vector<uint8_t>{0x80});
  ASSERT_EQ(read->metadata.lost.size(), 1u);
  EXPECT_TRUE(contains(read->metadata.lost[0], "EXIF")) << read->metadata.lost[0];
}

// A WebP without an extended header gets one.
TEST(Container, WebpWithoutExtendedHeader) {
  const std::string pixels = "VP8L"s + testing::exif_put(5, 4, true) + "abcde\0"s;
  const std::string simple = "RIFF"s + testing::exif_put(4 + pixels.size(), 4, true) + "WEBP" + pixels;
  Picture about;
  about.width = 300;
  about.height = 2;
  about.channels = 4;
  std::vector<std::string> notices;
  EXPECT_EQ(webp_with_metadata(simple, about, notices), simple);
  about.metadata.exif = "II*\0odd"s;
  const std::string with = webp_with_metadata(simple, about, notices);
  EXPECT_EQ(with, "RIFF"s + testing::exif_put(4 + 18 + 14 + 16, 4, true) + "WEBP" +
                      "VP8X\x0a\0\0\0\x18\0\0\0"s + "\x2b\x01\0\x01\0\0"s + pixels +
                      "EXIF\x07\0\0\0II*\0odd\0"s);
  EXPECT_TRUE(notices.empty());
}

}  // namespace
}  // namespace fye
