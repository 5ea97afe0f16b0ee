// The chain: rows of the file -> colours under transparent pixels -> colour and alpha apart, each through a
// network of its own -> joined again -> another scale -> the encoder. Each link holds the rows that the next
// one still needs. Tested by runtime/upscale_file_test.cc: equal to the whole picture's way.
#include "runtime/upscale_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "base/memory.h"
#include "image/bleed_rows.h"
#include "image/resize.h"
#include "runtime/guard.h"
#include "runtime/network_rows.h"
#include "runtime/suspects.h"

namespace fye {
namespace {

// Bands tried from the fastest to the smallest; the last is a row.
constexpr int kBands[] = {kUsualBand, 8, 4, 1};

// The highest that an executor makes of the usual one (execute/plain.cc).
constexpr int kMostBand = 64;

// What comes on top of all that is counted: the heap's own rounding, stacks of threads.
constexpr int64_t kSpare = 8 << 20;

// What a process takes before any work differs from run to run by about 1 MB; the least that is named must
// do.
constexpr int64_t kDrift = 4 << 20;

// Copies `count` channels of `pixels` pixels from one packed row to another.
void copy_channels(const uint8_t* from, int from_channels, int first, uint8_t* to, int to_channels,
                   int to_first, int count, size_t sample, size_t pixels) {
  from += size_t(first) * sample;
  to += size_t(to_first) * sample;
  for (size_t i = 0; i < pixels; ++i) {
    std::copy_n(from, size_t(count) * sample, to);
    from += size_t(from_channels) * sample;
    to += size_t(to_channels) * sample;
  }
}

// The rows of the input, with colours under transparent pixels.
class Source {
 public:
  Source(RowReader reader, std::optional<BleedRows> bleed)
      : reader_(std::move(reader)), bleed_(std::move(bleed)), read_(reader_.format().row_bytes()) {}

  Status next(uint8_t* row) {
    if (!bleed_) return read(row);
    while (!bleed_->next(row)) {
      if (auto ok = read(read_.data()); !ok) return ok;
      bleed_->add(read_.data());
    }
    return {};
  }
  double ms() const { return ms_; }

 private:
  Status read(uint8_t* row) {
    const Stopwatch watch;
    auto ok = reader_.read(1, row);
    ms_ += watch.ms();
    return ok;
  }
  RowReader reader_;
  std::optional<BleedRows> bleed_;
  std::vector<uint8_t> read_;
  double ms_ = 0;
};

// The first pass over a picture with alpha.
Result<std::optional<BleedRows>> survey(const RowsTask& task, const RowFormat& rows) {
  if (rows.channels % 2 != 0) return std::optional<BleedRows>();
  auto reader = RowReader::open(task.in, task.options.limits);
  if (!reader) return reader.error();
  BleedRows bleed(rows);
  std::vector<uint8_t> row(rows.row_bytes());
  for (int y = 0; y < rows.height; ++y) {
    if (auto ok = reader->read(1, row.data()); !ok) return ok.error();
    bleed.survey(row.data());
  }
  if (!bleed.needed()) return std::optional<BleedRows>();
  return std::optional<BleedRows>(std::move(bleed));
}

// Whether a whole output is one colour although its input is not; looks no further once two pixels differ.
class Sameness {
 public:
  void in(const uint8_t* row, int width, int channels, int bits) {
    if (varied_) return;
    colours_.resize(size_t(channels));
    for (size_t i = 0; i < size_t(width) * size_t(channels); ++i) {
      const int v = bits == 8 ? row[i] : reinterpret_cast<const uint16_t*>(row)[i];
      Range& colour = colours_[i % size_t(channels)];
      colour.low = std::min(colour.low, v);
      colour.high = std::max(colour.high, v);
    }
  }
  void out(const uint8_t* rows, size_t pixels, size_t pixel) {
    if (varied_) return;
    if (first_.empty()) first_.assign(rows, rows + pixel);
    for (size_t i = 0; i < pixels && !varied_; ++i)
      varied_ = std::memcmp(rows + i * pixel, first_.data(), pixel) != 0;
  }
  bool flat_without_reason(int bits) const {
    return !varied_ && std::any_of(colours_.begin(), colours_.end(),
                                   [&](const Range& colour) { return colour.high - colour.low > flat_levels(bits); });
  }

 private:
  struct Range {
    int low = 65535, high = 0;
  };
  bool varied_ = false;
  std::vector<Range> colours_;
  std::vector<uint8_t> first_;
};

// Colour, or alpha as grey, through the network, with a guard that sees the rows around those that it looks
// at.
struct Lane {
  NetworkRows net;
  Guard guard;
  int first, count;  // channels of the picture
  int width, own_width, bits;
  RowWindow given;
  Sameness sameness;
  Observer watch;

  void add(const uint8_t* row, int channels) {
    auto* to = reinterpret_cast<uint8_t*>(given.append(1));
    copy_channels(row, channels, first, to, count, 0, count, size_t(bits / 8), size_t(width));
    sameness.in(to, width, count, bits);
    net.add(to);
  }
  Status run(int pass, ThreadPool& threads, const StepDone* done) {
    guard.input({given.u8(given.first()), given.first(), given.end(), width, count, bits});
    watch = [this](int node, const Map& map) { guard.see(node, map); };
    return net.run(pass, threads, &watch, done);
  }
  // Looks at the rows of the output that are not out yet, up to `ready`.
  Status settle(int ready) {
    RowWindow& out = net.out();
    const int from = out.first();
    const PixelRows rows{out.u8(from), from, out.end(), own_width, count, bits};
    if (auto ok = guard.settle(rows, from, ready); !ok) return ok;
    sameness.out(rows.start, size_t(own_width) * size_t(ready - from), size_t(count * bits / 8));
    return {};
  }
  void drop_before(int y) {
    net.out().drop_before(y);
    given.drop_before(guard.needed_from(y));
  }
};

struct RowPlan {
  std::vector<Lane> lanes;
  std::optional<BicubicRows> resample;
  int64_t bytes = 0;  // of all that is held
};

// Rows that bands lag behind the network's own reach.
constexpr int kLag = 16;

// Rows of input and output that wait for the guard; a window grows by half and holds old and new rows while
// it does.
int64_t held_for_guard(const Model& model, const Lane& lane, int band) {
  const int64_t sample = lane.bits / 8, scale = lane.own_width / lane.width, reach = Guard::reach(model);
  const int64_t in = 2 * reach + 2 * kGuardCell + 2 * std::max(band, kMostBand),
                out = (2 * kGuardCell + kLag) * scale;
  return (in * lane.width + out * lane.own_width) * lane.count * sample * 5 / 2;
}

Result<RowPlan> plan_for(Upscaler::State& s, const RowReader& reader, const RowsTask& task, int band) {
  const RowFormat& rows = reader.format();
  const size_t sample = size_t(rows.bits / 8);
  ExecuteOptions how{.height = rows.height, .width = rows.width, .band = band, .max = s.options.max};
  if (band == kUsualBand) how.band_bytes = kUsualBandBytes;
  RowPlan plan;
  const bool alpha = rows.channels % 2 == 0;
  const int colours = alpha ? rows.channels - 1 : rows.channels;
  for (const auto& [first, count] : {std::pair(0, colours), std::pair(colours, rows.channels - colours)}) {
    if (count == 0) continue;
    auto net = NetworkRows::prepare(*s.model, task.placement, how, count, rows.bits);
    if (!net) return net.error();
    auto guard = s.make_guard(rows.width, rows.height, task.placement);
    if (!guard) return guard.error();
    guard->begin(count, rows.bits);
    plan.lanes.push_back({*std::move(net),
                          *std::move(guard),
                          first,
                          count,
                          rows.width,
                          rows.width * s.own_scale(),
                          rows.bits,
                          RowWindow(size_t(rows.width) * size_t(count) * sample),
                          {},
                          {}});
  }
  const int own = s.own_scale();
  if (s.scale() != own)
    plan.resample.emplace(rows.width * own, rows.height * own, rows.channels, rows.bits, task.larger.width,
                          task.larger.height);
  const auto writer = RowWriter::need(task.out, task.larger, task.options.write);
  if (!writer) return writer.error();
  plan.bytes = reader.held_bytes() + writer->bytes + kSpare;
  for (const Lane& lane : plan.lanes) plan.bytes += lane.net.bytes() + held_for_guard(*s.model, lane, band);
  plan.bytes += Guard::repair_bytes(*s.model, task.placement, rows.width, plan.lanes[0].net.bytes());
  // A patch's rows, joined, and resampled; and the survey of a picture with alpha.
  const int64_t row = int64_t(rows.row_bytes());
  plan.bytes += 2 * (kMostBand + 2 * kGuardCell) * row * own * (alpha ? own : 0) + 4 * row * own +
                2 * int64_t(task.larger.row_bytes());
  if (plan.resample) plan.bytes += plan.resample->bytes();
  if (alpha) plan.bytes += BleedRows::bytes(rows);
  return plan;
}

// The highest bands that fit into the budget.
Result<RowPlan> plan_within(Upscaler::State& s, const RowReader& reader, const RowsTask& task) {
  const int64_t allowed = s.budget();
  int64_t least = 0;
  for (const int band : kBands) {
    auto plan = plan_for(s, reader, task, band);
    if (!plan) return plan;
    // With the packed weights, which are there by now.
    const int64_t bytes = resident_bytes() + plan->bytes;
    if (bytes <= allowed) return plan;
    least = least ? std::min(least, bytes) : bytes;
  }
  const RowFormat& rows = reader.format();
  std::string why;
  if (!reader.whole().empty()) why = fmt::format("; {} has to be held whole", reader.whole());
  if (const auto writer = RowWriter::need(task.out, task.larger, task.options.write);
      writer && !writer->whole.empty())
    why += fmt::format("; {} has to be written whole", writer->whole);
  return too_little_memory(rows.width, rows.height, least + kDrift, allowed, why);
}

// Where rows go: to another scale, then to the file. Notes whether anything differs from anything.
class Sink {
 public:
  Sink(RowWriter writer, std::optional<BicubicRows>* resample, const RowFormat& larger)
      : writer_(std::move(writer)), resample_(resample), row_(larger.row_bytes()) {}

  Status put(const uint8_t* rows, int count, size_t row_bytes) {
    if (!*resample_) return write(rows, count);
    for (int y = 0; y < count; ++y) {
      (*resample_)->add(rows + size_t(y) * row_bytes);
      while ((*resample_)->next(row_.data()))
        if (auto ok = write(row_.data(), 1); !ok) return ok;
    }
    return {};
  }
  Result<std::vector<std::string>> finish() {
    const Stopwatch watch;
    auto done = writer_.finish();
    ms_ += watch.ms();
    return done;
  }
  double ms() const { return ms_; }

 private:
  Status write(const uint8_t* rows, int count) {
    const Stopwatch watch;
    auto ok = writer_.write(rows, count);
    ms_ += watch.ms();
    return ok;
  }
  RowWriter writer_;
  std::optional<BicubicRows>* resample_;
  std::vector<uint8_t> row_;
  double ms_ = 0;
};

}  // namespace

Result<FileReport> upscale_rows(Upscaler::State& s, RowReader reader, const RowsTask& task,
                                UpscaleReport upscale) {
  const RowFormat rows = reader.format();
  FileReport report{.in_width = rows.width,
                    .in_height = rows.height,
                    .width = task.larger.width,
                    .height = task.larger.height,
                    .channels = rows.channels,
                    .bits = rows.bits,
                    .streamed = true};
  report.upscale = std::move(upscale);
  const Stopwatch preparing;
  auto plan = plan_within(s, reader, task);
  if (!plan) return plan.error();
  for (const Lane& lane : plan->lanes) report.upscale.arena_bytes += lane.net.bytes();
  report.upscale.prepare_ms = preparing.ms();

  const Stopwatch running;
  Metadata metadata = reader.metadata();
  if (task.options.metadata) task.options.metadata(metadata);
  auto bleed = survey(task, rows);
  if (!bleed) return bleed.error();
  Source source(std::move(reader), *std::move(bleed));
  auto writer = RowWriter::create(task.out, task.larger, metadata, task.options.write);
  if (!writer) return writer.error();
  Sink sink(*std::move(writer), &plan->resample, task.larger);

  const size_t sample = size_t(rows.bits / 8);
  const int own = s.own_scale();
  const RowFormat made{rows.width * own, rows.height * own, rows.channels, rows.bits};
  std::vector<uint8_t> row(rows.row_bytes()), joined;
  NetworkRows& first = plan->lanes[0].net;
  for (int pass = 0; pass < first.passes(); ++pass) {
    if (s.options.stop && s.options.stop()) return interrupted_error(task.in.string() + ": stopped");
    while (first.added() < first.rows_before(pass)) {
      if (auto ok = source.next(row.data()); !ok) return ok.error();
      for (Lane& lane : plan->lanes) lane.add(row.data(), rows.channels);
    }
    for (Lane& lane : plan->lanes)
      if (auto ok = lane.run(pass, *s.threads, s.done()); !ok) return ok.error();
    const int from = first.out().first(), ready = plan->lanes[0].guard.ready(first.out().end()),
              count = ready - from;
    if (count > 0) {
      for (Lane& lane : plan->lanes)
        if (auto ok = lane.settle(ready); !ok) return ok.error();
      const uint8_t* whole = first.out().u8(from);
      if (plan->lanes.size() > 1) {
        joined.resize(made.row_bytes() * size_t(count));
        for (Lane& lane : plan->lanes)
          copy_channels(lane.net.out().u8(from), lane.count, 0, joined.data(), rows.channels, lane.first,
                        lane.count, sample, size_t(made.width) * size_t(count));
        whole = joined.data();
      }
      if (auto ok = sink.put(whole, count, made.row_bytes()); !ok) return ok.error();
      for (Lane& lane : plan->lanes) lane.drop_before(ready);
    }
    if (s.options.progress) s.options.progress(double(pass + 1) / double(first.passes()));
  }
  if (plan->lanes[0].sameness.flat_without_reason(rows.bits)) return flat_output(s.model->name);
  for (const Lane& lane : plan->lanes) s.note_guard(lane.guard, report.upscale);
  s.note_scale(report.upscale);
  auto lost = sink.finish();
  if (!lost) return lost.error();
  report.upscale.notices.insert(report.upscale.notices.end(), lost->begin(), lost->end());
  report.read_ms = source.ms();
  report.write_ms = sink.ms();
  report.upscale.run_ms = running.ms() - report.read_ms - report.write_ms;
  return report;
}

}  // namespace fye
