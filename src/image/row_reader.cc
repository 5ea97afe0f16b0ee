// A file that can be decoded from top to bottom is read through a libvips region of some rows; any other
// (turned, interlaced, WebP) is decoded whole, with the memory that takes stated first. Tested by
// rows_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

#include "image/exif.h"
#include "image/open.h"
#include "image/orientation.h"
#include "image/rows.h"

namespace fye {
namespace {

// Rows asked of libvips at a time, as in read_picture.
constexpr int kStrip = 64;

// What libvips and a decoder hold beside pixels: caches of strips (three of kStrip rows were seen), tables,
// and for TIFF a strip or a row of tiles. Measured: docs/results.md.
constexpr int64_t kDecoderBytes = 4 << 20;
constexpr int kStripsHeld = 4;

std::string why_whole(const Opened& opened) {
  if (opened.orientation > 1 && opened.orientation <= 8) return "a picture that has to be turned upright";
  if (opened.format == PictureFormat::webp) return "a WebP";
  if (!opened.interlaced) return {};
  return opened.format == PictureFormat::png ? "an interlaced PNG" : "a progressive JPEG";
}

}  // namespace

struct RowReader::State {
  std::string name;
  std::filesystem::path path;
  ReadLimits limits;
  RowFormat format;
  Metadata metadata;
  std::string whole;
  int64_t held = 0;
  int next = 0, prepared = -1;
  SourceRef source;
  ImageRef image;
  RegionRef region;
  std::optional<Picture> picture;  // of a file that was decoded whole

  Status from_picture(int count, uint8_t* rows) {
    if (!picture) {
      image.reset();
      auto read = read_picture(path, limits);
      if (!read) return read.error();
      if (read->width != format.width || read->height != format.height)
        return bad_input(name + ": changed while it was read");
      picture = *std::move(read);
    }
    const size_t row = format.row_bytes();
    std::memcpy(rows, picture->bytes.data() + size_t(next) * row, size_t(count) * row);
    return {};
  }

  Status from_file(int count, uint8_t* rows) {
    if (!region) region.reset(vips_region_new(image.get()));
    const size_t row = format.row_bytes();
    for (int done = 0; done < count;) {
      // Each strip is asked for once, whole: decoders that go top to bottom can't go back.
      const int top = (next + done) / kStrip * kStrip;
      const VipsRect strip{0, top, format.width, std::min(kStrip, format.height - top)};
      if (top != prepared && (!region || vips_region_prepare(region.get(), &strip) != 0))
        return bad_input(fmt::format("{}: truncated or corrupt near row {}: {}", name, top,
                                     reason_and_place(source.get())));
      prepared = top;
      const int until = std::min(count, top + strip.height - next);
      for (; done < until; ++done)
        std::memcpy(rows + size_t(done) * row, VIPS_REGION_ADDR(region.get(), 0, next + done), row);
    }
    return {};
  }
};

RowReader::RowReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader::~RowReader() = default;

Result<RowReader> RowReader::open(const std::filesystem::path& path, const ReadLimits& limits) {
  auto opened = open_checked(path, limits);
  if (!opened) return opened.error();
  const std::string name = path.string();
  if (auto ok = check_pages(name, *opened); !ok) return ok.error();
  auto state = std::make_unique<State>();
  State& s = *state;
  s.name = name;
  s.path = path;
  s.limits = limits;
  s.whole = why_whole(*opened);
  const bool compressed_twice = opened->format == PictureFormat::jpeg && opened->interlaced;
  auto image = as_rgb_or_grey(name, std::move(opened->image), opened->metadata);
  if (!image) return image.error();
  s.image = *std::move(image);
  s.source = std::move(opened->source);
  s.metadata = std::move(opened->metadata);
  const PictureInfo& info = opened->info;
  s.format = {info.width, info.height, vips_image_get_bands(s.image.get()),
              vips_image_get_format(s.image.get()) == VIPS_FORMAT_USHORT ? 16 : 8};
  const bool turned = opened->orientation > 1 && opened->orientation <= 8;
  if (turned) {
    reset_orientation(s.metadata.exif);
    if (swaps_sides(opened->orientation)) std::swap(s.metadata.pixels_per_mm_x, s.metadata.pixels_per_mm_y);
  }
  const int64_t row = int64_t(s.format.row_bytes());
  s.held = kDecoderBytes + kStripsHeld * kStrip * row;
  if (!s.whole.empty()) {
    // The picture; once more while libvips (interlaced, WebP as RGBA) or the turning holds it too; and the
    // coefficients of a progressive JPEG, two bytes each.
    const int64_t pixels = int64_t(s.format.width) * s.format.height;
    s.held += row * s.format.height * (compressed_twice && !turned ? 1 : 2);
    if (opened->format == PictureFormat::webp) s.held += pixels * 4;
    if (compressed_twice) s.held += pixels * s.format.channels * 2;
  }
  return RowReader(std::move(state));
}

const RowFormat& RowReader::format() const { return state_->format; }
const Metadata& RowReader::metadata() const { return state_->metadata; }
int64_t RowReader::held_bytes() const { return state_->held; }
const std::string& RowReader::whole() const { return state_->whole; }

Status RowReader::read(int count, uint8_t* rows) {
  State& s = *state_;
  if (count < 0 || count > s.format.height - s.next)
    return internal_error(
        fmt::format("{}: {} rows after row {} of {}", s.name, count, s.next, s.format.height));
  try {
    auto done = s.whole.empty() ? s.from_file(count, rows) : s.from_picture(count, rows);
    if (!done) return done;
  } catch (const std::bad_alloc&) {
    return resource_error(s.name + ": not enough memory to read it");
  }
  s.next += count;
  return {};
}

}  // namespace fye
