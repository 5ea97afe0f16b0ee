// Rows in and out against whole pictures: the same pixels, bytes, metadata and refusals.
#include "image/rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "image/testing_exif.h"
#include "image/testing_pictures.h"

namespace fye {
namespace {

using testing::contains;
using testing::Folder;

RowFormat format_of(const Picture& picture) {
  return {picture.width, picture.height, picture.channels, picture.bits};
}

// Reads all in pieces of the sizes that `piece` gives.
template <class Piece>
Result<Picture> read_rows(const std::filesystem::path& path, Piece piece) {
  auto reader = RowReader::open(path);
  if (!reader) return reader.error();
  const RowFormat& rows = reader->format();
  Picture picture(rows.width, rows.height, rows.channels, rows.bits);
  for (int y = 0; y < rows.height;) {
    const int count = std::min(piece(), rows.height - y);
    if (auto ok = reader->read(count, picture.bytes.data() + size_t(y) * rows.row_bytes()); !ok)
      return ok.error();
    y += count;
  }
  picture.metadata = reader->metadata();
  return picture;
}

template <class Piece>
Result<std::vector<std::string>> write_rows(const Picture& picture, const std::filesystem::path& path,
                                            Piece piece, const WriteOptions& options = {}) {
  const RowFormat rows = format_of(picture);
  auto writer = RowWriter::create(path, rows, picture.metadata, options);
  if (!writer) return writer.error();
  for (int y = 0; y < rows.height;) {
    const int count = std::min(piece(), rows.height - y);
    if (auto ok = writer->write(picture.bytes.data() + size_t(y) * rows.row_bytes(), count); !ok)
      return ok.error();
    y += count;
  }
  return writer->finish();
}

void expect_same(const Picture& a, const Picture& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.channels, b.channels);
  EXPECT_EQ(a.bits, b.bits);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.metadata.icc, b.metadata.icc);
  EXPECT_EQ(a.metadata.exif, b.metadata.exif);
  EXPECT_EQ(a.metadata.xmp, b.metadata.xmp);
  EXPECT_EQ(a.metadata.iptc, b.metadata.iptc);
  EXPECT_EQ(a.metadata.lost, b.metadata.lost);
  EXPECT_EQ(a.metadata.pixels_per_mm_x, b.metadata.pixels_per_mm_x);
  EXPECT_EQ(a.metadata.pixels_per_mm_y, b.metadata.pixels_per_mm_y);
}

Metadata some_metadata() {
  Metadata metadata;
  metadata.xmp = "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>";
  metadata.pixels_per_mm_x = 10;
  metadata.pixels_per_mm_y = 12;
  return metadata;
}

RC_GTEST_PROP(Rows, SameFileAndSamePictureAsWhole, ()) {
  const Folder folder;
  const int bits = *rc::gen::element(8, 16), channels = *rc::gen::inRange(1, 5);
  Picture picture = testing::noise(*rc::gen::inRange(1, 90), *rc::gen::inRange(1, 200), channels, bits,
                                   *rc::gen::arbitrary<unsigned>());
  picture.metadata = some_metadata();
  const std::string extension = *rc::gen::element<std::string>(".png", ".tif", ".webp", ".jpg");
  const WriteOptions options{.quality = *rc::gen::element(60, 95, 100)};
  const auto piece = [&] { return *rc::gen::inRange(1, 70); };
  const auto whole = write_picture(picture, folder / ("whole" + extension), options);
  const auto rows = write_rows(picture, folder / ("rows" + extension), piece, options);
  RC_ASSERT(whole.ok());
  RC_ASSERT(rows.ok());
  RC_ASSERT(*whole == *rows);
  if (extension != ".jpg")  // whose tables differ
    RC_ASSERT(testing::load(folder / ("whole" + extension)) == testing::load(folder / ("rows" + extension)));
  const auto a = read_picture(folder / ("whole" + extension));
  const auto b = read_rows(folder / ("rows" + extension), piece);
  RC_ASSERT(a.ok());
  RC_ASSERT(b.ok());
  RC_ASSERT(a->bytes == b->bytes);
  RC_ASSERT(a->metadata.xmp == b->metadata.xmp);
  RC_ASSERT(folder.files() == 2u);
}

TEST(Rows, FilesThatAreNotReadFromTopToBottomSayWhyAndAreEqual) {
  const Folder folder;
  Picture picture = testing::pattern(33, 47, 3);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    picture.metadata.exif = testing::exif_block(orientation, 33, 47, true);
    ASSERT_TRUE(write_picture(picture, folder / "turned.jpg"));
    // write_picture leaves the orientation in the block, so that the reader turns it.
    const auto whole = read_picture(folder / "turned.jpg");
    const auto rows = read_rows(folder / "turned.jpg", [] { return 5; });
    ASSERT_TRUE(whole);
    ASSERT_TRUE(rows);
    expect_same(*rows, *whole);
    EXPECT_EQ(RowReader::open(folder / "turned.jpg")->whole().empty(), orientation == 1) << orientation;
  }
  ASSERT_TRUE(write_picture(testing::pattern(20, 20, 4), folder / "p.webp"));
  EXPECT_EQ(RowReader::open(folder / "p.webp")->whole(), "a WebP");
  EXPECT_GT(RowReader::open(folder / "p.webp")->held_bytes(), 20 * 20 * 4 * 2);
}

TEST(Rows, RefusesWhatWholePicturesRefuse) {
  const Folder folder;
  testing::store(folder / "text.png", "just some words\n");
  EXPECT_FALSE(RowReader::open(folder / "text.png"));
  EXPECT_FALSE(RowReader::open(folder / "missing.png"));
  ASSERT_TRUE(write_picture(testing::pattern(20, 20, 3), folder / "p.png"));
  EXPECT_FALSE(RowReader::open(folder / "p.png", {.pixels = 399}));
  const RowFormat rows{4, 4, 3, 8};
  EXPECT_FALSE(RowWriter::create(folder / "p.gif", rows, {}));
  EXPECT_FALSE(RowWriter::create(folder / "no/p.png", rows, {}));
  EXPECT_FALSE(RowWriter::create(folder / "q.png", rows, {}, {.quality = 0}));
  EXPECT_FALSE(RowWriter::create(folder / "q.webp", {16'384, 1, 3, 8}, {}));
  EXPECT_FALSE(RowWriter::create(folder / "q.png", {4, 4, 5, 8}, {}));
  EXPECT_EQ(folder.files(), 2u);
}

TEST(Rows, MoreRowsThanThereAreAreRefused) {
  const Folder folder;
  ASSERT_TRUE(write_picture(testing::pattern(20, 20, 3), folder / "p.png"));
  auto reader = RowReader::open(folder / "p.png");
  std::vector<uint8_t> bytes(20 * 3 * 30);
  ASSERT_TRUE(reader->read(15, bytes.data()));
  EXPECT_FALSE(reader->read(6, bytes.data()));
  auto writer = RowWriter::create(folder / "q.png", {20, 10, 3, 8}, {});
  ASSERT_TRUE(writer->write(bytes.data(), 9));
  EXPECT_FALSE(writer->write(bytes.data(), 2));
  EXPECT_FALSE(writer->finish());  // a row is missing
}

TEST(Rows, GivenUpHalfWayNothingIsLeft) {
  const Folder folder;
  testing::store(folder / "old.png", "old");
  for (const char* file : {"p.png", "p.jpg", "p.webp", "p.tif", "old.png"}) {
    auto writer = RowWriter::create(folder / file, {64, 64, 3, 8}, {});
    ASSERT_TRUE(writer);
    const std::vector<uint8_t> rows(64 * 3 * 30, 7);
    ASSERT_TRUE(writer->write(rows.data(), 30));
  }
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_EQ(testing::load(folder / "old.png"), "old");
}

TEST(Rows, DamageInMidStreamIsFoundAtItsRow) {
  const Folder folder;
  const Picture picture = testing::noise(200, 400, 3, 8, 3);
  for (const char* file : {"p.png", "p.tif", "p.jpg"}) {
    ASSERT_TRUE(write_picture(picture, folder / file));
    std::string bytes = testing::load(folder / file);
    if (contains(file, ".jpg")) {
      bytes.resize(bytes.size() / 2);
    } else {
      // Inside the pixels of one chunk, so that the PNG's chunks still add up.
      const size_t chunk =
          contains(file, ".png") ? bytes.find("IDAT", bytes.size() / 2) + 8 : bytes.size() / 2;
      for (size_t i = 0; i < 4000; ++i) bytes[chunk + i] = char(i * 37);
    }
    testing::store(folder / file, bytes);
    auto reader = RowReader::open(folder / file);
    ASSERT_TRUE(reader) << file;
    std::vector<uint8_t> row(reader->format().row_bytes());
    int good = 0;
    Status status;
    while (good < 400 && (status = reader->read(1, row.data()))) ++good;
    ASSERT_FALSE(status) << file;
    EXPECT_GE(good, 64) << file;
    EXPECT_EQ(status.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(contains(status.error().what, file)) << status.error().what;
    EXPECT_TRUE(contains(status.error().what, "truncated or corrupt")) << status.error().what;
  }
}

// A file-size limit behaves as a full disk does.
TEST(Rows, FullDiskInMidStreamLeavesNothing) {
  const Folder folder;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const char* file : {"p.png", "p.jpg", "p.webp", "p.tif"}) {
    const rlimit small{200'000, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto written = write_rows(testing::noise(500, 600, 3, 8, 1), folder / file, [] { return 16; });
    setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_FALSE(written) << file;
    EXPECT_EQ(written.error().code, ErrorCode::resources);
    EXPECT_TRUE(contains(written.error().what, file)) << written.error().what;
  }
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(folder.files(), 0u);
}

}  // namespace
}  // namespace fye
