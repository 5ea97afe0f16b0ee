// Every format with every kind of picture: what comes back.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <thread>

#include "image/alpha.h"
#include "image/depth.h"
#include "image/file.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

using testing::contains;
using testing::Folder;
using testing::noise;
using testing::pattern;
using testing::smooth;

struct Kind {
  int channels, bits;
};
constexpr Kind kKinds[] = {{1, 8}, {2, 8}, {3, 8}, {4, 8}, {1, 16}, {2, 16}, {3, 16}, {4, 16}};

TEST(RoundTrip, PngAndTiffKeepEverySample) {
  const Folder folder;
  for (const char* file : {"p.png", "p.tif", "p.tiff", "p.PNG"}) {
    for (const Kind kind : kKinds) {
      const Picture picture = noise(37, 70, kind.channels, kind.bits, 5);
      const auto written = write_picture(picture, folder / file);
      ASSERT_TRUE(written) << written.error().text();
      EXPECT_TRUE(written->empty()) << written->front();
      const auto read = read_picture(folder / file);
      ASSERT_TRUE(read) << read.error().text();
      ASSERT_EQ(read->channels, kind.channels) << file;
      ASSERT_EQ(read->bits, kind.bits) << file;
      EXPECT_EQ(read->bytes, picture.bytes) << file << ' ' << kind.channels << ' ' << kind.bits;
    }
  }
}

TEST(RoundTrip, All65536Levels) {
  Picture picture(256, 256, 1, 16);
  for (int v = 0; v < 65536; ++v) picture.u16()[v] = static_cast<uint16_t>(v);
  const Folder folder;
  for (const char* file : {"p.png", "p.tif"}) {
    ASSERT_TRUE(write_picture(picture, folder / file));
    const auto read = read_picture(folder / file);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->bytes, picture.bytes) << file;
  }
}

// WebP has no grey: grey comes back as three equal channels.
TEST(RoundTrip, LosslessWebp) {
  const Folder folder;
  for (const Kind kind : kKinds) {
    Picture picture = noise(33, 21, kind.channels, kind.bits, 6);
    const auto written = write_picture(picture, folder / "p.webp", {100});
    ASSERT_TRUE(written) << written.error().text();
    EXPECT_EQ(written->size(), kind.bits == 16 ? 1u : 0u);
    picture = to_8_bit(picture);
    const auto read = read_picture(folder / "p.webp");
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->channels, picture.has_alpha() ? 4 : 3);
    for (size_t i = 0; i < size_t(33) * 21; ++i) {
      const uint8_t* got = &read->bytes[i * read->channels];
      const uint8_t* put = &picture.bytes[i * picture.channels];
      const bool rgb = picture.channels >= 3;
      if (picture.has_alpha()) {
        ASSERT_EQ(got[3], put[picture.channels - 1]);
        if (got[3] == 0) continue;  // the encoder may change colours that nobody sees
      }
      for (int c = 0; c < 3; ++c) ASSERT_EQ(got[c], put[rgb ? c : 0]);
    }
  }
}

void expect_near(const Picture& a, const Picture& b, int most) {
  ASSERT_EQ(a.samples(), b.samples());
  for (size_t i = 0; i < a.samples(); ++i) ASSERT_LE(std::abs(a.bytes[i] - b.bytes[i]), most) << i;
}

TEST(RoundTrip, Jpeg) {
  const Folder folder;
  for (const int channels : {1, 3}) {
    for (const char* file : {"p.jpg", "p.jpeg"}) {
      const Picture picture = smooth(40, 30, channels);
      const auto written = write_picture(picture, folder / file, {98});
      ASSERT_TRUE(written) << written.error().text();
      EXPECT_TRUE(written->empty());
      const auto read = read_picture(folder / file);
      ASSERT_TRUE(read) << read.error().text();
      ASSERT_EQ(read->channels, channels);
      expect_near(*read, picture, 24);
    }
  }
}

TEST(RoundTrip, LossyWebpAndQuality) {
  const Folder folder;
  const Picture picture = smooth(64, 48, 3);
  ASSERT_TRUE(write_picture(picture, folder / "low.webp", {10}));
  ASSERT_TRUE(write_picture(picture, folder / "high.webp", {95}));
  EXPECT_LT(std::filesystem::file_size(folder / "low.webp"),
            std::filesystem::file_size(folder / "high.webp"));
  ASSERT_TRUE(write_picture(picture, folder / "low.jpg", {10}));
  ASSERT_TRUE(write_picture(picture, folder / "high.jpg", {95}));
  EXPECT_LT(std::filesystem::file_size(folder / "low.jpg"), std::filesystem::file_size(folder / "high.jpg"));
}

TEST(RoundTrip, JpegSaysWhatItCannotHold) {
  const Folder folder;
  Picture picture = smooth(24, 24, 4);
  for (size_t i = 3; i < picture.samples(); i += 4) picture.bytes[i] = 0;
  auto written = write_picture(picture, folder / "p.jpg");
  ASSERT_TRUE(written);
  ASSERT_EQ(written->size(), 1u);
  EXPECT_TRUE(contains(written->at(0), "alpha")) << written->at(0);
  const auto read = read_picture(folder / "p.jpg");
  ASSERT_TRUE(read);
  for (const uint8_t byte : read->bytes) ASSERT_GE(byte, 253);  // nothing visible on white

  written = write_picture(pattern(24, 24, 2, 16), folder / "p.jpg");
  ASSERT_TRUE(written);
  ASSERT_EQ(written->size(), 2u);
  EXPECT_TRUE(contains(written->at(0), "alpha"));
  EXPECT_TRUE(contains(written->at(1), "8 bit")) << written->at(1);
}

TEST(RoundTrip, SmallestPictures) {
  const Folder folder;
  for (const char* file : {"p.png", "p.jpg", "p.webp", "p.tif"}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {1, 300}, {300, 1}}) {
      ASSERT_TRUE(write_picture(smooth(width, height, 3), folder / file));
      const auto read = read_picture(folder / file);
      ASSERT_TRUE(read) << read.error().text();
      EXPECT_EQ(read->width, width);
      EXPECT_EQ(read->height, height);
    }
  }
}

TEST(RoundTrip, SameBytesEachTime) {
  const Folder folder;
  Picture picture = noise(50, 40, 4, 8, 3);
  picture.metadata.pixels_per_mm_x = picture.metadata.pixels_per_mm_y = 5;
  for (const char* extension : {".png", ".jpg", ".webp", ".tif"}) {
    ASSERT_TRUE(write_picture(picture, folder / (std::string("a") + extension)));
    ASSERT_TRUE(write_picture(picture, folder / (std::string("b") + extension)));
    EXPECT_EQ(testing::load(folder / (std::string("a") + extension)),
              testing::load(folder / (std::string("b") + extension)));
  }
}

TEST(RoundTrip, ReplacesAnExistingFile) {
  const Folder folder;
  testing::store(folder / "p.png", "old");
  ASSERT_TRUE(write_picture(pattern(4, 4, 3), folder / "p.png"));
  const auto read = read_picture(folder / "p.png");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->bytes, pattern(4, 4, 3).bytes);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(Probe, SaysWhatReadWillDeliver) {
  const Folder folder;
  const struct {
    const char *file, *format;
  } files[] = {{"p.png", "png"}, {"p.jpg", "jpeg"}, {"p.webp", "webp"}, {"p.tif", "tiff"}};
  for (const auto& [file, format] : files) {
    ASSERT_TRUE(write_picture(pattern(31, 17, 3), folder / file));
    const auto info = probe_picture(folder / file);
    ASSERT_TRUE(info) << info.error().text();
    EXPECT_EQ(info->width, 31);
    EXPECT_EQ(info->height, 17);
    EXPECT_EQ(info->channels, 3);
    EXPECT_EQ(info->bits, 8);
    EXPECT_EQ(info->format, format);
    EXPECT_EQ(info->pages, 1);
  }
}

TEST(Probe, TheContentCountsNotTheExtension) {
  const Folder folder;
  ASSERT_TRUE(write_picture(pattern(5, 4, 3), folder / "p.png"));
  std::filesystem::rename(folder / "p.png", folder / "p.jpg");
  const auto info = probe_picture(folder / "p.jpg");
  ASSERT_TRUE(info) << info.error().text();
  EXPECT_EQ(info->format, "png");
}

TEST(Threads, FilesAreReadAndWrittenSideBySide) {
  const Folder folder;
  std::vector<std::thread> threads;
  std::array<bool, 6> right{};
  for (size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      const auto path = folder / (std::to_string(t) + (t % 2 ? ".png" : ".tif"));
      const auto nothing = folder / (std::to_string(t) + ".missing.png");
      bool all = true;
      for (unsigned turn = 0; turn < 5; ++turn) {
        const Picture picture = noise(40 + static_cast<int>(t), 30, 3, 8, turn);
        all &= write_picture(picture, path).ok() && !read_picture(nothing).ok();
        const auto read = read_picture(path);
        all &= read.ok() && read->bytes == picture.bytes;
      }
      right[t] = all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const bool all : right) EXPECT_TRUE(all);
}

TEST(Codecs, NamesTheLibrary) { EXPECT_TRUE(contains(codecs(), "libvips 8.")); }

}  // namespace
}  // namespace fye
