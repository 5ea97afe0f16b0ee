// Whole or by rows: the whole picture in memory where that fits into the budget, else rows (upscale_rows.h),
// else whole again in lower bands or tiles. Tested by runtime/upscale_file_test.cc.
#include "runtime/upscale_file.h"

#include <algorithm>

#include "base/clock.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "image/rows.h"
#include "runtime/upscale_rows.h"
#include "runtime/upscale_state.h"

namespace fye {
namespace {

Result<FileReport> whole(Upscaler& upscaler, const std::filesystem::path& in,
                         const std::filesystem::path& out, const FileOptions& options) {
  FileReport report;
  const Stopwatch reading;
  auto picture = read_picture(in, options.limits);
  if (!picture) return picture.error();
  if (options.metadata) options.metadata(picture->metadata);
  report.read_ms = reading.ms();
  report.in_width = picture->width;
  report.in_height = picture->height;
  auto larger = upscaler.run(*picture);
  if (!larger) return larger.error();
  *picture = {};
  report.width = larger->picture.width;
  report.height = larger->picture.height;
  report.channels = larger->picture.channels;
  report.bits = larger->picture.bits;
  report.upscale = std::move(larger->report);
  const Stopwatch writing;
  const auto lost = write_picture(larger->picture, out, options.write);
  if (!lost) return lost.error();
  report.write_ms = writing.ms();
  report.upscale.notices.insert(report.upscale.notices.end(), lost->begin(), lost->end());
  return report;
}

// What the whole way takes beside the network's maps: pictures, and the decoder's and encoder's own.
int64_t whole_bytes(const Upscaler::State& s, const RowReader& reader, const RowFormat& larger,
                    const RowWriter::Need& writer) {
  const RowFormat& rows = reader.format();
  const int64_t in = int64_t(rows.row_bytes()) * rows.height,
                out = int64_t(larger.row_bytes()) * larger.height;
  int64_t running = s.picture_bytes(rows.width, rows.height, rows.channels, rows.bits);
  // Colours under transparent pixels are found in float, a third more for the coarser levels.
  if (rows.channels % 2 == 0) running += in / (rows.bits / 8) * int64_t(sizeof(float)) * 4 / 3;
  // A JPEG with tables of its own is held as coefficients of two bytes; other forms are made beside the
  // picture.
  const int64_t coefficients = out / (larger.bits / 8) * 2;
  return std::max({reader.held_bytes() + in, running, 2 * out + coefficients + writer.bytes});
}

}  // namespace

Result<FileReport> upscale_file(Upscaler& upscaler, const std::filesystem::path& in,
                                const std::filesystem::path& out, const FileOptions& options) {
  Upscaler::State& s = upscaler.state();
  auto reader = RowReader::open(in, options.limits);
  if (!reader) return reader.error();
  const RowFormat rows = reader->format();
  const RowFormat larger{rows.width * s.scale(), rows.height * s.scale(), rows.channels, rows.bits};
  const auto writer = RowWriter::need(out, larger, options.write);
  if (!writer) return writer.error();
  UpscaleReport report;
  const auto placement = s.placement_for(rows.bits, report);
  if (!placement) return placement.error();

  // Lower bands are as good as usual ones; tiles compute edges twice, so rows go before them.
  const bool global = std::any_of(s.model->graph.nodes.begin(), s.model->graph.nodes.end(), is_global);
  const bool can_stream = s.options.tile == 0 && !global && !s.shared;
  const int64_t pictures = whole_bytes(s, *reader, larger, *writer), allowed = s.budget() - resident_bytes();
  if (pictures <= allowed || !can_stream) {
    auto prepared = s.prepare(rows.width, rows.height, pictures, allowed, *placement);
    if (!prepared && !can_stream) return prepared.error();
    if (prepared && (s.tile == 0 || !can_stream)) {
      { const RowReader closed = *std::move(reader); }
      return whole(upscaler, in, out, options);
    }
  }
  s.network.reset();
  return upscale_rows(s, *std::move(reader), {in, out, options, larger, *placement}, std::move(report));
}

}  // namespace fye
