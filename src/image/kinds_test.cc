// Pictures that fye delivers in another form than the file has them: palettes, few bits, CMYK, Lab,
// interlacing.
#include <gtest/gtest.h>

#include "image/file.h"
#include "image/testing_pictures.h"
#include "image/vips.h"

namespace fye {
namespace {

using namespace std::string_literals;
using testing::contains;
using testing::Folder;
using testing::png;
using testing::png_chunk;

Picture read_stored(const Folder& folder, const std::string& file) {
  testing::store(folder / "p.png", file);
  auto read = read_picture(folder / "p.png");
  EXPECT_TRUE(read) << read.error().text();
  return read ? *read : Picture();
}

TEST(Kinds, PaletteBecomesRgb) {
  const Folder folder;
  const std::string palette = png_chunk("PLTE", "\x0a\x14\x1e\xff\x80\x01\x05\x06\x07\xfa\xfb\xfc");
  for (const int bits : {8, 4, 2}) {
    const std::string row = bits == 8 ? "\0\3\0\1"s : bits == 4 ? "\0\x30\x10"s : "\0\xc4"s;  // 3, 0, 1
    const Picture picture = read_stored(folder, png(3, 1, bits, 3, palette, row));
    EXPECT_EQ(picture.channels, 3);
    EXPECT_EQ(picture.bits, 8);
    EXPECT_EQ(picture.bytes, (std::vector<uint8_t>{0xfa, 0xfb, 0xfc, 0x0a, 0x14, 0x1e, 0xff, 0x80, 0x01}))
        << bits;
  }
}

TEST(Kinds, PaletteWithTransparencyBecomesRgba) {
  const Folder folder;
  const std::string chunks = png_chunk("PLTE", "\x0a\x14\x1e\xff\x80\x01") + png_chunk("tRNS", "\x40"s);
  const Picture picture = read_stored(folder, png(2, 1, 8, 3, chunks, "\0\0\1"s));
  EXPECT_EQ(picture.channels, 4);
  EXPECT_EQ(picture.bytes, (std::vector<uint8_t>{0x0a, 0x14, 0x1e, 0x40, 0xff, 0x80, 0x01, 0xff}));
}

TEST(Kinds, FewBitsBecomeEight) {
  const Folder folder;
  EXPECT_EQ(read_stored(folder, png(8, 1, 1, 0, "", "\0\xa5"s)).bytes,
            (std::vector<uint8_t>{255, 0, 255, 0, 0, 255, 0, 255}));
  EXPECT_EQ(read_stored(folder, png(4, 1, 2, 0, "", "\0\x1b"s)).bytes,
            (std::vector<uint8_t>{0, 85, 170, 255}));
  const Picture four = read_stored(folder, png(3, 1, 4, 0, "", "\0\x0f\x80"s));
  EXPECT_EQ(four.bytes, (std::vector<uint8_t>{0, 255, 136}));
  EXPECT_EQ(four.channels, 1);
  EXPECT_EQ(four.bits, 8);
}

TEST(Kinds, OneTransparentColourBecomesAlpha) {
  const Folder folder;
  const Picture grey = read_stored(folder, png(2, 1, 8, 0, png_chunk("tRNS", "\0\x07"s), "\0\x07\x08"s));
  EXPECT_EQ(grey.channels, 2);
  EXPECT_EQ(grey.bytes, (std::vector<uint8_t>{7, 0, 8, 255}));
  const Picture rgb =
      read_stored(folder, png(2, 1, 8, 2, png_chunk("tRNS", "\0\1\0\2\0\3"s), "\0\1\2\3\4\5\6"s));
  EXPECT_EQ(rgb.bytes, (std::vector<uint8_t>{1, 2, 3, 0, 4, 5, 6, 255}));
}

TEST(Kinds, SixteenBitsAreInNativeOrder) {
  const Folder folder;
  const Picture picture = read_stored(folder, png(2, 1, 16, 0, "", "\0\x12\x34\xff\xfe"s));
  ASSERT_EQ(picture.bits, 16);
  EXPECT_EQ(picture.u16()[0], 0x1234);
  EXPECT_EQ(picture.u16()[1], 0xfffe);
}

// A libvips image of one colour.
ImageRef plain(std::vector<double> colour, VipsInterpretation kind, VipsBandFormat format) {
  EXPECT_TRUE(start_vips());
  VipsImage *black = nullptr, *filled = nullptr, *cast = nullptr;
  vips_black(&black, 20, 10, "bands", static_cast<int>(colour.size()), nullptr);
  std::vector<double> ones(colour.size(), 1);
  vips_linear(black, &filled, ones.data(), colour.data(), static_cast<int>(colour.size()), nullptr);
  vips_cast(filled, &cast, format, nullptr);
  g_object_unref(black);
  g_object_unref(filled);
  cast->Type = kind;
  return ImageRef(cast);
}

TEST(Kinds, CmykBecomesRgb) {
  const Folder folder;
  const struct {
    std::vector<double> ink;
    bool bright_red, bright_blue;
  } cases[] = {{{0, 0, 0, 0}, true, true},
               {{0, 0, 0, 255}, false, false},
               {{0, 255, 255, 0}, true, false},
               {{255, 255, 0, 0}, false, true}};
  for (const auto& c : cases) {
    const ImageRef image = plain(c.ink, VIPS_INTERPRETATION_CMYK, VIPS_FORMAT_UCHAR);
    ASSERT_EQ(vips_jpegsave(image.get(), (folder / "p.jpg").c_str(), nullptr), 0) << vips_reason();
    ASSERT_EQ(vips_tiffsave(image.get(), (folder / "p.tif").c_str(), nullptr), 0) << vips_reason();
    for (const char* file : {"p.jpg", "p.tif"}) {
      const auto info = probe_picture(folder / file);
      ASSERT_TRUE(info) << info.error().text();
      EXPECT_EQ(info->channels, 3);
      const auto read = read_picture(folder / file);
      ASSERT_TRUE(read) << read.error().text();
      ASSERT_EQ(read->channels, 3);
      ASSERT_EQ(read->bits, 8);
      EXPECT_EQ(read->bytes[0] > 150, c.bright_red) << file << ' ' << int(read->bytes[0]);
      EXPECT_EQ(read->bytes[2] > 100, c.bright_blue) << file << ' ' << int(read->bytes[2]);
      EXPECT_EQ(read->metadata.icc, "");
      ASSERT_EQ(read->metadata.lost.size(), 1u);
      EXPECT_TRUE(contains(read->metadata.lost[0], "CMYK"));
    }
  }
}

TEST(Kinds, LabBecomesRgb) {
  const Folder folder;
  const ImageRef image = plain({50, 0, 0}, VIPS_INTERPRETATION_LAB, VIPS_FORMAT_FLOAT);
  ASSERT_EQ(vips_tiffsave(image.get(), (folder / "p.tif").c_str(), nullptr), 0) << vips_reason();
  const auto read = read_picture(folder / "p.tif");
  ASSERT_TRUE(read) << read.error().text();
  ASSERT_EQ(read->channels, 3);
  ASSERT_EQ(read->bits, 8);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(read->bytes[c], 119, 3);  // L* = 50 in sRGB
}

TEST(Kinds, OneBitTiff) {
  const Folder folder;
  const ImageRef image = plain({255}, VIPS_INTERPRETATION_B_W, VIPS_FORMAT_UCHAR);
  ASSERT_EQ(vips_tiffsave(image.get(), (folder / "p.tif").c_str(), "bitdepth", 1, nullptr), 0)
      << vips_reason();
  const auto read = read_picture(folder / "p.tif");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->channels, 1);
  for (const uint8_t byte : read->bytes) ASSERT_EQ(byte, 255);
}

TEST(Kinds, InterlacedAndTiledFilesAreTheSamePicture) {
  ASSERT_TRUE(start_vips());
  const Folder folder;
  Picture picture = testing::noise(150, 140, 3, 8, 9);
  const ImageRef image(
      vips_image_new_from_memory(picture.bytes.data(), picture.bytes.size(), 150, 140, 3, VIPS_FORMAT_UCHAR));
  image->Type = VIPS_INTERPRETATION_sRGB;
  ASSERT_EQ(vips_pngsave(image.get(), (folder / "p.png").c_str(), "interlace", TRUE, nullptr), 0);
  ASSERT_EQ(vips_tiffsave(image.get(), (folder / "tiles.tif").c_str(), "tile", TRUE, "tile_width", 64,
                          "tile_height", 64, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_LZW, nullptr),
            0);
  ASSERT_EQ(vips_tiffsave(image.get(), (folder / "big.tif").c_str(), "bigtiff", TRUE, nullptr), 0);
  for (const char* file : {"p.png", "tiles.tif", "big.tif"}) {
    const auto read = read_picture(folder / file);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->bytes, picture.bytes) << file;
  }
}

TEST(Kinds, ProgressiveJpegIsTheSamePicture) {
  ASSERT_TRUE(start_vips());
  const Folder folder;
  Picture picture = testing::smooth(70, 50, 3);
  const ImageRef image(
      vips_image_new_from_memory(picture.bytes.data(), picture.bytes.size(), 70, 50, 3, VIPS_FORMAT_UCHAR));
  image->Type = VIPS_INTERPRETATION_sRGB;
  ASSERT_EQ(vips_jpegsave(image.get(), (folder / "a.jpg").c_str(), "interlace", TRUE, nullptr), 0);
  ASSERT_EQ(vips_jpegsave(image.get(), (folder / "b.jpg").c_str(), nullptr), 0);
  EXPECT_EQ(read_picture(folder / "a.jpg")->bytes, read_picture(folder / "b.jpg")->bytes);
}

}  // namespace
}  // namespace fye
