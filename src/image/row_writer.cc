// libvips pulls: its saver runs on a thread of its own over an image whose rows are generated, in order, from
// a short queue that write() fills. Tested by rows_test.cc.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "image/encode.h"
#include "image/file_target.h"
#include "image/rows.h"
#include "image/vips.h"

namespace fye {
namespace {

// Rows that wait for the encoder: enough that neither side waits for each row of the other, and little beside
// the maps of a network.
constexpr size_t kQueueBytes = 4 << 20;
constexpr int kLeastQueue = 16;

// What a saver holds: libvips' two write buffers and, in TIFF, strips of 128 rows; zlib and tables. Measured:
// docs/results.md.
constexpr int64_t kEncoderBytes = 4 << 20;
constexpr int kRowsHeld = 300;

int queue_rows(const RowFormat& rows) {
  return std::max(kLeastQueue, int(kQueueBytes / std::max<size_t>(1, rows.row_bytes())));
}

}  // namespace

struct RowWriter::State {
  std::string name;
  RowFormat given, kept;
  Reduction reduction;
  PictureFormat format;
  int quality;
  Metadata metadata;
  std::optional<FileTarget> target;
  std::vector<std::string> notices;
  Picture picture;  // WebP: whole

  std::mutex mutex;
  std::condition_variable moved;
  std::vector<uint8_t> queue;  // a ring of `capacity` rows
  int capacity = 0;
  int given_rows = 0, taken_rows = 0;
  bool abandoned = false, ended = false;
  Status result;
  std::thread thread;

  bool whole() const { return format == PictureFormat::webp; }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      abandoned = true;
    }
    moved.notify_all();
    if (thread.joinable()) thread.join();
  }

  // The saver's thread: rows of `region` in the order of the picture.
  bool generate(VipsRegion* region) {
    const VipsRect& r = region->valid;
    const size_t row = kept.row_bytes();
    if (r.left != 0 || r.width != kept.width) return false;
    for (int y = r.top; y < r.top + r.height; ++y) {
      std::unique_lock lock(mutex);
      moved.wait(lock, [&] { return abandoned || y < given_rows; });
      if (abandoned || y != taken_rows) return false;
      std::memcpy(VIPS_REGION_ADDR(region, 0, y), &queue[size_t(y % capacity) * row], row);
      ++taken_rows;
      lock.unlock();
      moved.notify_all();
    }
    return true;
  }

  static int on_generate(VipsRegion* region, void*, void* state, void*, gboolean*) {
    return static_cast<State*>(state)->generate(region) ? 0 : -1;
  }

  void encode_all() {
    auto made = [&]() -> Status {
      const ImageRef image(vips_image_new());
      if (!image) return resource_error(name + ": not enough memory to write it");
      vips_image_init_fields(image.get(), kept.width, kept.height, kept.channels,
                             kept.bits == 16 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                             VIPS_INTERPRETATION_sRGB, 1, 1);
      describe(image.get(), kept, metadata);
      if (vips_image_pipelinev(image.get(), VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
          vips_image_generate(image.get(), nullptr, on_generate, nullptr, this, nullptr) != 0)
        return resource_error(fmt::format("{}: can't be encoded: {}", name, vips_reason()));
      return encode(name, image.get(), format, quality, false, metadata, *target, notices);
    }();
    vips_thread_shutdown();
    {
      const std::lock_guard lock(mutex);
      result = std::move(made);
      ended = true;
    }
    moved.notify_all();
  }

  Status put(const uint8_t* rows, int count) {
    const size_t row = kept.row_bytes();
    for (int done = 0; done < count;) {
      std::unique_lock lock(mutex);
      moved.wait(lock, [&] { return ended || given_rows - taken_rows < capacity; });
      if (ended) return result ? internal_error(name + ": encoded before its last row") : result;
      const int at = given_rows % capacity;
      const int room = std::min({capacity - (given_rows - taken_rows), capacity - at, count - done});
      lock.unlock();
      std::memcpy(&queue[size_t(at) * row], rows + size_t(done) * row, size_t(room) * row);
      lock.lock();
      given_rows += room;
      lock.unlock();
      moved.notify_all();
      done += room;
    }
    return {};
  }
};

RowWriter::RowWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
RowWriter::RowWriter(RowWriter&&) noexcept = default;
RowWriter::~RowWriter() = default;

Result<RowWriter::Need> RowWriter::need(const std::filesystem::path& path, const RowFormat& rows,
                                        const WriteOptions& options) {
  const auto format = format_to_write(path);
  if (!format) return format.error();
  if (auto ok = check_writable(path.string(), rows, *format, options); !ok) return ok.error();
  const RowFormat kept = reduction_for(rows, *format).of(rows);
  const int64_t row = int64_t(kept.row_bytes());
  Need need{.bytes = kEncoderBytes + (queue_rows(kept) + kRowsHeld) * row, .whole = {}};
  if (*format == PictureFormat::webp) {
    // The picture, libwebp's copy of it (four bytes a pixel), what its lossless coder needs (as much again,
    // twice), and the file, at worst as large as the picture, also twice.
    need.bytes = kEncoderBytes + int64_t(kept.width) * kept.height * (3 * kept.channels + 12);
    need.whole = "a WebP";
  }
  return need;
}

Result<RowWriter> RowWriter::create(const std::filesystem::path& path, const RowFormat& format,
                                    const Metadata& metadata, const WriteOptions& options) {
  if (auto started = start_vips(); !started) return started.error();
  const auto chosen = format_to_write(path);
  if (!chosen) return chosen.error();
  if (auto ok = check_writable(path.string(), format, *chosen, options); !ok) return ok.error();
  try {
    auto state = std::make_unique<State>();
    State& s = *state;
    s.name = path.string();
    s.given = format;
    s.format = *chosen;
    s.reduction = reduction_for(format, s.format);
    s.kept = s.reduction.of(format);
    s.quality = options.quality;
    s.metadata = metadata;
    s.notices = metadata.lost;
    const auto reduced = s.reduction.notices(s.format);
    s.notices.insert(s.notices.end(), reduced.begin(), reduced.end());
    auto target = FileTarget::create(path);
    if (!target) return target.error();
    s.target.emplace(*std::move(target));
    if (s.whole()) {
      s.picture = Picture(s.kept.width, s.kept.height, s.kept.channels, s.kept.bits);
    } else {
      s.capacity = queue_rows(s.kept);
      s.queue.resize(size_t(s.capacity) * s.kept.row_bytes());
      s.thread = std::thread([&s] { s.encode_all(); });
    }
    return RowWriter(std::move(state));
  } catch (const std::bad_alloc&) {
    return resource_error(path.string() + ": not enough memory to write it");
  }
}

Status RowWriter::write(const uint8_t* rows, int count) {
  State& s = *state_;
  const int before = s.whole() ? s.given_rows : [&] {
    const std::lock_guard lock(s.mutex);
    return s.given_rows;
  }();
  if (count < 0 || count > s.kept.height - before)
    return internal_error(
        fmt::format("{}: {} rows after row {} of {}", s.name, count, before, s.kept.height));
  if (count == 0) return {};
  std::vector<uint8_t> made;
  if (s.reduction.any()) {
    Picture part(s.given.width, count, s.given.channels, s.given.bits);
    std::memcpy(part.bytes.data(), rows, part.bytes.size());
    made = std::move(s.reduction.of(part).bytes);
    rows = made.data();
  }
  if (!s.whole()) return s.put(rows, count);
  std::memcpy(s.picture.bytes.data() + size_t(before) * s.kept.row_bytes(), rows,
              size_t(count) * s.kept.row_bytes());
  s.given_rows += count;
  return {};
}

Result<std::vector<std::string>> RowWriter::finish() {
  State& s = *state_;
  if (s.given_rows != s.kept.height)
    return internal_error(fmt::format("{}: {} rows of {} were given", s.name, s.given_rows, s.kept.height));
  if (s.whole()) {
    const ImageRef image(vips_image_new_from_memory(s.picture.bytes.data(), s.picture.bytes.size(),
                                                    s.kept.width, s.kept.height, s.kept.channels,
                                                    VIPS_FORMAT_UCHAR));
    if (!image) return resource_error(fmt::format("{}: can't be encoded: {}", s.name, vips_reason()));
    describe(image.get(), s.kept, s.metadata);
    s.result = encode(s.name, image.get(), s.format, s.quality, true, s.metadata, *s.target, s.notices);
  } else {
    s.thread.join();
  }
  if (!s.result) return s.result.error();
  if (auto done = s.target->commit(); !done) return done.error();
  return s.notices;
}

}  // namespace fye
