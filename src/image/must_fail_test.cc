// Inputs that must be refused: with the file's name, a reason, the right code, no crash and nothing decoded
// in vain.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

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
using testing::png_header;

void expect_refused(const std::filesystem::path& path, std::string_view part, const ReadLimits& limits = {}) {
  const auto read = read_picture(path, limits);
  ASSERT_FALSE(read) << path;
  EXPECT_EQ(read.error().code, ErrorCode::bad_input);
  EXPECT_TRUE(contains(read.error().what, path.filename().string())) << read.error().what;
  EXPECT_TRUE(contains(read.error().text(), part)) << read.error().text();
  EXPECT_FALSE(contains(read.error().what, "\n")) << read.error().what;
}

struct Bytes {
  const char* name;
  std::string bytes, part;
};

TEST(MustFail, FilesThatAreNoPictures) {
  const Folder folder;
  const Bytes cases[] = {
      {"empty.png", "", "empty"},
      {"text.png", "just some words\n", "not a picture"},
      {"one-byte.jpg", "\xff", "not a picture"},
      {"a.gif", "GIF89a\1\0\1\0\0\0\0;"s, "GIF"},
      {"a.bmp", "BM\x46\0\0\0\0\0"s, "BMP"},
      {"a.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"},
      {"b.svg", "<?xml version='1.0'?><svg/>", "SVG"},
      {"a.pdf", "%PDF-1.7\n", "PDF"},
      {"a.jxl", "\xff\x0a\x00"s, "JPEG XL"},
      {"a.jp2", "\0\0\0\x0cjP  \r\n\x87\n"s, "JPEG 2000"},
      {"a.avif", "\0\0\0\x1c"s + "ftypavif\0\0\0\0"s, "AVIF"},
      {"a.heic", "\0\0\0\x18"s + "ftypheic\0\0\0\0"s, "HEIF"},
      {"a.mp4", "\0\0\0\x18"s + "ftypisom\0\0\0\0"s, "film"},
      {"a.ppm", "P6 1 1 255 abc", "PNM"},
      {"a.zip.png", "PK\x03\x04zip", "ZIP"},
      {"riff.webp", "RIFF\x10\0\0\0WAVEfmt "s, "not a picture"},
  };
  for (const Bytes& c : cases) {
    testing::store(folder / c.name, c.bytes);
    expect_refused(folder / c.name, c.part);
  }
}

TEST(MustFail, PathsThatAreNoFiles) {
  const Folder folder;
  expect_refused(folder / "missing.png", "no such file");
  expect_refused(folder / "missing", "no such file");
  std::filesystem::create_directory(folder / "folder.png");
  expect_refused(folder / "folder.png", "folder");
  ASSERT_EQ(mkfifo((folder / "pipe.png").c_str(), 0600), 0);
  expect_refused(folder / "pipe.png", "regular");  // must not wait for a writer
  std::filesystem::create_symlink(folder / "nowhere", folder / "link.png");
  expect_refused(folder / "link.png", "no such file");
}

TEST(MustFail, Unreadable) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const Folder folder;
  testing::store(folder / "p.png", "x");
  chmod((folder / "p.png").c_str(), 0);
  expect_refused(folder / "p.png", "Permission denied");
}

TEST(MustFail, BrokenPngs) {
  const Folder folder;
  const std::string row = "\0\1\2\3"s;
  std::string bad_header_crc = png(1, 1, 8, 2, "", row);
  bad_header_crc[29] ^= 1;
  std::string bad_data_crc = png(1, 1, 8, 2, "", row);
  bad_data_crc[bad_data_crc.size() - 13] ^= 1;
  std::string huge_length = png(1, 1, 8, 2, "", row);
  huge_length.replace(33, 4, "\x7f\xff\xff\xff");
  const Bytes cases[] = {
      {"zero-width.png", png(0, 1, 8, 2, "", row), "png"},
      {"zero-height.png", png(1, 0, 8, 2, "", row), "png"},
      {"negative.png", png(0xffffffff, 1, 8, 2, "", row), "png"},
      {"bits.png", png(1, 1, 3, 2, "", row), "png"},
      {"colour-type.png", png(1, 1, 8, 9, "", row), "png"},
      {"header-crc.png", bad_header_crc, "png"},
      {"data-crc.png", bad_data_crc, "corrupt"},
      {"huge-length.png", huge_length, "truncated"},
      {"no-palette.png", png(3, 1, 8, 3, "", row), ""},
      {"too-few-rows.png", png(1, 9, 8, 2, "", row), "corrupt"},
      {"filter-byte.png", png(1, 1, 8, 2, "", "\x09\1\2\3"s), "corrupt"},
      {"no-data.png", png_header(1, 1, 8, 2) + png_chunk("IEND", ""), ""},
      {"no-header.png",
       "\x89PNG\r\n\x1a\n"s + png_chunk("IDAT", testing::zlib_stored(row)) + png_chunk("IEND", ""), "png"},
      {"not-zlib.png", png_header(1, 1, 8, 2) + png_chunk("IDAT", "no zlib stream") + png_chunk("IEND", ""),
       ""},
      {"signature-only.png", "\x89PNG\r\n\x1a\n"s, "truncated"},
      {"apng.png", png(1, 1, 8, 2, png_chunk("acTL", testing::big_endian(5) + testing::big_endian(0)), row),
       "5 frames"},
  };
  for (const Bytes& c : cases) {
    testing::store(folder / c.name, c.bytes);
    expect_refused(folder / c.name, c.part);
  }
}

TEST(MustFail, ClaimsOverTheLimits) {
  const Folder folder;
  const std::string row = "\0\1\2\3"s;
  testing::store(folder / "pixels.png", png(60'000, 60'000, 8, 2, "", row));
  expect_refused(folder / "pixels.png", "268000000 pixels");
  testing::store(folder / "side.png", png(70'000, 1, 8, 2, "", row));
  expect_refused(folder / "side.png", "65535");
  // 1.07 GB claimed by 80 bytes: within the pixel limit, not within reason.
  testing::store(folder / "ratio.png", png(16'384, 16'350, 8, 6, "", row));
  expect_refused(folder / "ratio.png", "exhaust memory");
  testing::store(folder / "small.png", png(20, 10, 8, 2, "", row));
  expect_refused(folder / "small.png", "limit is 199", {.pixels = 199});
  expect_refused(folder / "small.png", "limit is 19 a side", {.side = 19});

  std::string jpeg =
      "\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\3\1\x22\0\2\x11\1\3\x11\1"s;  // 65535 x 65535
  jpeg += "\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0"s;
  testing::store(folder / "huge.jpg", jpeg);
  expect_refused(folder / "huge.jpg", "65500");  // libjpeg's own limit
}

TEST(MustFail, TooMuchMetadata) {
  const Folder folder;
  Picture picture = testing::pattern(8, 8, 3);
  picture.metadata.xmp = std::string(2000, ' ');
  for (const char* file : {"p.png", "p.jpg", "p.webp", "p.tif"}) {
    ASSERT_TRUE(write_picture(picture, folder / file));
    EXPECT_TRUE(read_picture(folder / file));
    expect_refused(folder / file, "XMP", {.metadata_bytes = 1999});
  }
  picture.metadata.xmp = std::string(11 << 20, ' ');
  ASSERT_TRUE(write_picture(picture, folder / "bomb.png"));
  expect_refused(folder / "bomb.png", "XMP");
}

// Two pictures of one colour each, on top of each other, as libvips makes animations and pages of them.
ImageRef two_pages() {
  EXPECT_TRUE(start_vips());
  VipsImage *black = nullptr, *white = nullptr, *joined = nullptr;
  vips_black(&black, 16, 16, "bands", 3, nullptr);
  vips_invert(black, &white, nullptr);
  vips_join(black, white, &joined, VIPS_DIRECTION_VERTICAL, nullptr);
  g_object_unref(black);
  g_object_unref(white);
  joined->Type = VIPS_INTERPRETATION_sRGB;
  vips_image_set_int(joined, VIPS_META_PAGE_HEIGHT, 16);
  return ImageRef(joined);
}

TEST(MustFail, AnimationsAndPages) {
  const Folder folder;
  const ImageRef pages = two_pages();
  ASSERT_EQ(vips_webpsave(pages.get(), (folder / "anim.webp").c_str(), nullptr), 0) << vips_reason();
  ASSERT_EQ(vips_tiffsave(pages.get(), (folder / "pages.tif").c_str(), nullptr), 0) << vips_reason();
  expect_refused(folder / "anim.webp", "2 frames");
  expect_refused(folder / "pages.tif", "2 pages");
  EXPECT_EQ(probe_picture(folder / "anim.webp")->pages, 2);  // probing may look
}

TEST(MustFail, TiffSamplesThatAreNoPicture) {
  ASSERT_TRUE(start_vips());
  const Folder folder;
  for (const auto format :
       {VIPS_FORMAT_FLOAT, VIPS_FORMAT_INT, VIPS_FORMAT_SHORT, VIPS_FORMAT_CHAR, VIPS_FORMAT_DOUBLE}) {
    VipsImage *black = nullptr, *cast = nullptr;
    vips_black(&black, 4, 4, "bands", 3, nullptr);
    vips_cast(black, &cast, format, nullptr);
    ASSERT_EQ(vips_tiffsave(cast, (folder / "p.tif").c_str(), nullptr), 0) << vips_reason();
    g_object_unref(black);
    g_object_unref(cast);
    expect_refused(folder / "p.tif", "samples");
  }
  VipsImage* many = nullptr;
  vips_black(&many, 4, 4, "bands", 7, nullptr);
  ASSERT_EQ(vips_tiffsave(many, (folder / "bands.tif").c_str(), nullptr), 0);
  g_object_unref(many);
  expect_refused(folder / "bands.tif", "7 channels");
}

// Cut anywhere, a file is refused or (where only padding is gone) gives the very picture; never another one.
void check_truncation(const char* file, const Picture& picture, const WriteOptions& options,
                      int most_readable) {
  const Folder folder;
  ASSERT_TRUE(write_picture(picture, folder / file, options));
  const std::string bytes = testing::load(folder / file);
  const auto whole = read_picture(folder / file);
  ASSERT_TRUE(whole);
  int readable = 0;
  for (size_t size = 0; size < bytes.size(); size += size + 20 < bytes.size() && size > 40 ? 17 : 1) {
    testing::store(folder / file, std::string_view(bytes).substr(0, size));
    const auto read = read_picture(folder / file);
    if (!read) {
      EXPECT_TRUE(contains(read.error().what, file));
      continue;
    }
    ++readable;
    EXPECT_EQ(read->bytes, whole->bytes) << size << " of " << bytes.size();
  }
  EXPECT_LE(readable, most_readable);
}

TEST(MustFail, TruncatedPng) { check_truncation("p.png", testing::noise(16, 20, 3, 8, 1), {}, 0); }
TEST(MustFail, TruncatedJpeg) { check_truncation("p.jpg", testing::noise(20, 18, 3, 8, 1), {}, 2); }
TEST(MustFail, TruncatedWebp) { check_truncation("p.webp", testing::noise(16, 20, 3, 8, 1), {}, 0); }
TEST(MustFail, TruncatedLosslessWebp) {
  check_truncation("p.webp", testing::noise(16, 20, 4, 8, 1), {100}, 0);
}
TEST(MustFail, TruncatedTiff) { check_truncation("p.tif", testing::noise(16, 20, 3, 8, 1), {}, 8); }

// "...; reading had come to byte 4096 of 10787": the first number, or -1.
int64_t byte_told(const std::string& text, size_t size) {
  const std::string before = "reading had come to byte ", after = " of " + std::to_string(size);
  const size_t at = text.find(before);
  return at != text.npos && text.ends_with(after) ? std::stoll(text.substr(at + before.size())) : -1;
}

TEST(MustFail, TellsHowFarReadingHadCome) {
  constexpr int64_t kAhead = 64 << 10;  // codecs' buffers are smaller
  const Folder folder;
  const Picture picture = testing::noise(500, 400, 3, 8, 3);
  for (const std::string file : {"p.png", "p.jpg", "p.tif"}) {
    ASSERT_TRUE(write_picture(picture, folder / file));
    const std::string sound = testing::load(folder / file);
    const size_t half = sound.size() / 2;
    std::string bytes = sound;
    if (file == "p.png") {
      bytes[half] = char(~bytes[half]);
    } else {
      bytes.resize(half);
    }
    testing::store(folder / file, bytes);
    const auto read = read_picture(folder / file);
    ASSERT_FALSE(read) << file;
    const int64_t told = byte_told(read.error().what, bytes.size());
    EXPECT_GE(told, file == "p.tif" ? 1 : int64_t(half)) << read.error().what;  // TIFF's directory jumps
    EXPECT_LE(told, int64_t(std::min(half + kAhead, bytes.size()))) << read.error().what;
  }
  std::string header = testing::load(folder / "p.jpg");
  header[2] = char(0xff), header[3] = 2;  // no such marker
  testing::store(folder / "p.jpg", header);
  const auto read = read_picture(folder / "p.jpg");
  ASSERT_FALSE(read);
  const int64_t told = byte_told(read.error().what, header.size());
  EXPECT_GE(told, 4);
  EXPECT_LE(told, kAhead);
}

// Damaged files: any outcome but a crash, a hang or an uncaught exception.
RC_GTEST_PROP(MustFail, DamagedFilesDoNoHarm, ()) {
  static const Folder folder;
  static const auto sound = [] {
    std::map<std::string, std::string> files;
    Picture picture = testing::noise(24, 18, 3, 8, 2);
    picture.metadata.exif = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"s;
    for (const std::string file : {"p.png", "p.jpg", "p.webp", "p.tif"}) {
      EXPECT_TRUE(write_picture(picture, folder / file));
      files[file] = testing::load(folder / file);
    }
    return files;
  }();
  const std::string file = *rc::gen::element("p.png"s, "p.jpg"s, "p.webp"s, "p.tif"s);
  std::string bytes = sound.at(file);
  const int flips = *rc::gen::inRange(1, 8);
  for (int i = 0; i < flips; ++i)
    bytes[*rc::gen::inRange<size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  testing::store(folder / file, bytes);
  const auto read = read_picture(folder / file);
  if (read) {
    RC_ASSERT(read->bytes.size() == read->samples() * (read->bits / 8));
  } else {
    RC_ASSERT(contains(read.error().what, file));
  }
}

}  // namespace
}  // namespace fye
