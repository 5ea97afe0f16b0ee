// The new picture from its segments and everything else from the film, in one pass by time. Segments are
// closed, so their packets in a row are the whole film's in the order of decoding; the times of decoding are
// worked out here for all of them, since each encoder began anew: the k-th packet decodes when the (k - d)-th
// in the order of presentation is shown, d being the smallest number that puts no packet's decoding after its
// own presentation.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "av/encoder.h"
#include "av/jobs.h"
#include "av/open_film.h"
#include "av/output.h"
#include "av/segment_file.h"

namespace fye::av {
namespace {

// Asks fye for a segment.
Result<Segment> segment(Channel& channel, int64_t number) {
  if (auto sent = channel.send({.type = MessageType::want_segment, .number = number}); !sent)
    return sent.error();
  auto answer = channel.receive();
  if (!answer) return answer.error();
  if ((*answer)->type != MessageType::segment || !(*answer)->file) return internal_error("no segment came");
  auto read = read_segment((*answer)->file);
  if (read) return read;
  if (auto sent = channel.send({.type = MessageType::damaged, .number = number}); !sent) return sent.error();
  return read.error();
}

// Times of decoding, by packet.
std::vector<int64_t> decoding_times(const std::vector<int64_t>& pts) {
  std::vector<int64_t> sorted = pts;
  std::sort(sorted.begin(), sorted.end());
  const auto count = int64_t(pts.size());
  int64_t delay = 0;
  for (int64_t k = 0; k < count; ++k) {
    const int64_t rank = std::lower_bound(sorted.begin(), sorted.end(), pts[size_t(k)]) - sorted.begin();
    delay = std::max(delay, k - rank);
  }
  // Before the first frame time goes on at the pace of its beginning.
  const int64_t step = count > 1 ? std::max<int64_t>(1, sorted[1] - sorted[0]) : 1;
  std::vector<int64_t> dts(pts.size());
  for (int64_t k = 0; k < count; ++k)
    dts[size_t(k)] = k >= delay ? sorted[size_t(k - delay)] : sorted[0] - (delay - k) * step;
  return dts;
}

class NewPicture {
 public:
  NewPicture(Channel& channel, int64_t segments) : channel_(channel), segments_(segments) {}

  // Reads all segments' times. Errors: a damaged one; none has a frame; one's encoder made another head.
  Status look() {
    std::vector<int64_t> pts;
    for (int64_t i = 0; i < segments_; ++i) {
      auto part = segment(channel_, i);
      if (!part) return part.error();
      if (i == 0) extra_data_ = part->extra_data;
      if (part->extra_data != extra_data_)
        return internal_error(
            "the encoder begins its segments in different ways; another --encoder does not");
      for (const StoredPacket& packet : part->packets) pts.push_back(packet.pts);
    }
    if (pts.empty()) return bad_input("has no frames");
    dts_ = decoding_times(pts);
    return {};
  }

  // Time of decoding of the next packet; nothing after the last.
  std::optional<int64_t> next() const {
    if (at_ >= dts_.size()) return std::nullopt;
    return dts_[at_];
  }

  Status write(const Output& output, AVRational time_base) {
    while (inside_ >= part_.packets.size()) {
      auto part = segment(channel_, number_++);
      if (!part) return part.error();
      part_ = *std::move(part);
      inside_ = 0;
    }
    const StoredPacket& stored = part_.packets[inside_++];
    Packet packet(av_packet_alloc());
    if (!packet || av_new_packet(packet.get(), int(stored.bytes.size())) < 0)
      return resource_error("no memory");
    std::memcpy(packet->data, stored.bytes.data(), stored.bytes.size());
    packet->pts = stored.pts;
    packet->dts = dts_[at_++];
    packet->duration = stored.duration;
    if (stored.key) packet->flags |= AV_PKT_FLAG_KEY;
    packet->stream_index = output.video()->index;
    av_packet_rescale_ts(packet.get(), time_base, output.video()->time_base);
    if (const int code = av_interleaved_write_frame(output.format(), packet.get()); code < 0)
      return error(code, "can't write the new picture");
    return {};
  }

  // What the encoder puts before its first packet.
  const std::string& extra_data() const { return extra_data_; }

  size_t written() const { return at_; }
  size_t packets() const { return dts_.size(); }

 private:
  Channel& channel_;
  int64_t segments_, number_ = 0;
  std::string extra_data_;
  std::vector<int64_t> dts_;
  size_t at_ = 0, inside_ = 0;
  Segment part_;
};

// The segments' own, whatever a fresh encoder would say.
Status set_extra_data(AVCodecContext& made, const std::string& extra_data) {
  av_freep(&made.extradata);
  made.extradata_size = 0;
  made.extradata = static_cast<uint8_t*>(av_mallocz(extra_data.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (!made.extradata) return resource_error("no memory");
  std::memcpy(made.extradata, extra_data.data(), extra_data.size());
  made.extradata_size = int(extra_data.size());
  return {};
}

class Muxing {
 public:
  Muxing(Channel& channel, const Film& film, const Plan& plan, const Output& output, NewPicture& picture)
      : channel_(channel), film_(film), plan_(plan), output_(output), picture_(picture) {}

  Status run() {
    Packet packet(av_packet_alloc());
    if (!packet) return resource_error("no memory");
    int read;
    while ((read = av_read_frame(film_.format(), packet.get())) >= 0) {
      const AVStream* from = film_.format()->streams[packet->stream_index];
      const AVStream* to = output_.of(packet->stream_index);
      Status status;
      if (to) {
        const int64_t time = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
        if (time != AV_NOPTS_VALUE) status = picture_until(time, from->time_base);
        if (status) status = copy(packet.get(), from, to);
      }
      av_packet_unref(packet.get());
      if (!status) return status;
    }
    return picture_until(std::nullopt, {});
  }

  int64_t copied() const { return copied_; }

 private:
  Status picture_until(std::optional<int64_t> time, AVRational base) {
    while (const auto next = picture_.next()) {
      if (time && av_compare_ts(*next, plan_.time_base, *time, base) > 0) return {};
      if (auto status = picture_.write(output_, plan_.time_base); !status) return status;
      const auto per_mille = int64_t(1000 * picture_.written() / picture_.packets());
      if (per_mille == told_) continue;
      told_ = per_mille;
      if (auto sent = channel_.send({.type = MessageType::progress, .number = per_mille}); !sent) return sent;
    }
    return {};
  }

  Status copy(AVPacket* packet, const AVStream* from, const AVStream* to) {
    packet->stream_index = to->index;
    packet->pos = -1;
    av_packet_rescale_ts(packet, from->time_base, to->time_base);
    const int code = av_interleaved_write_frame(output_.format(), packet);
    if (code < 0) return error(code, fmt::format("can't write its stream {}", from->index), "write to .mkv");
    ++copied_;
    return {};
  }

  Channel& channel_;
  const Film& film_;
  const Plan& plan_;
  const Output& output_;
  NewPicture& picture_;
  int64_t copied_ = 0, told_ = -1;
};

}  // namespace

Status mux(Channel& channel, const Json& job) {
  const auto plan = plan_from(job.at("plan"));
  if (!plan) return plan.error();
  const auto film = Film::open(kInputFd);
  if (!film) return film.error();
  if (film->video_index() != plan->video) return bad_input("has changed since it was looked at");
  const auto made = open_encoder(*plan);
  if (!made) return made.error();
  NewPicture picture(channel, job.at("segments").get<int64_t>());
  if (auto status = picture.look(); !status) return status;
  if (auto status = set_extra_data(**made, picture.extra_data()); !status) return status;

  auto io = FdIo::writing(kOutputFd);
  if (!io) return io.error();
  auto output = Output::begin(*film, *plan, **made, io->context());
  if (!output) return output.error();
  for (unsigned i = 0; i < film->format()->nb_streams; ++i)
    if (!output->of(int(i))) film->format()->streams[i]->discard = AVDISCARD_ALL;
  Muxing muxing(channel, *film, *plan, *output, picture);
  Status status = muxing.run();
  if (status) status = output->finish();
  // FFmpeg's muxers pass over some failed writes.
  if (io->problem() < 0) return error(io->problem(), "the output can't be written");
  if (!status) return status;
  return channel.send({.type = MessageType::done},
                      Json{{"packets", picture.packets()}, {"copied_packets", muxing.copied()}}.dump());
}

}  // namespace fye::av
