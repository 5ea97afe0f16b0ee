// Frames as the decoder gives them, with the times of the film; every frame once, in the order of
// presentation.
#include <fmt/format.h>

#include <cstring>
#include <deque>

#include "av/colour.h"
#include "av/frame_slots.h"
#include "av/jobs.h"
#include "av/open_film.h"
#include "base/clock.h"

namespace fye::av {
namespace {

class Decoding {
 public:
  Decoding(Channel& channel, const Film& film, Plan plan, SharedFrames frames, const Json& job)
      : channel_(channel),
        film_(film),
        plan_(plan),
        frames_(std::move(frames)),
        to_picture_(plan),
        skip_(job.at("skip").get<int64_t>()),
        damaged_(job.at("damaged").get<bool>()) {}

  Status run(AVCodecContext* decoder) {
    Packet packet(av_packet_alloc());
    Frame frame(av_frame_alloc());
    if (!packet || !frame) return resource_error("no memory for a frame");
    int read;
    while ((read = av_read_frame(film_.format(), packet.get())) >= 0) {
      Status status;
      if (packet->stream_index == film_.video_index()) {
        if (packet->flags & AV_PKT_FLAG_CORRUPT) status = damage(packet->pts, "a part is damaged");
        if (status) status = feed(decoder, packet.get(), frame.get());
      }
      av_packet_unref(packet.get());
      if (!status) return status;
    }
    if (read != AVERROR_EOF || film_.format()->pb->error < 0) {
      const Error why =
          error(read == AVERROR_EOF ? film_.format()->pb->error : read, "it can't be read any further");
      if (auto status = damage(last_pts_, why.what); !status) return status;
    }
    return feed(decoder, nullptr, frame.get());
  }

  Json report() const {
    return {{"frames", sent_},
            {"skipped", skipped_},
            {"damaged", problems_},
            {"decode_ms", decode_ms_},
            {"convert_ms", convert_ms_}};
  }

 private:
  // Something can't be decoded: an error, unless the user wants what is left.
  Status damage(int64_t pts, const std::string& what) {
    ++problems_;
    if (damaged_) return {};
    return bad_input(fmt::format("{} at {} s", what, film_.seconds(pts)),
                     "--damaged goes on over what can't be decoded");
  }

  // All frames that come of one packet; null: of the end.
  Status feed(AVCodecContext* decoder, const AVPacket* packet, AVFrame* frame) {
    const Stopwatch watch;
    double elsewhere = 0;
    const int sent = avcodec_send_packet(decoder, packet);
    if (sent == AVERROR(ENOMEM)) return resource_error("no memory to decode");
    if (sent < 0 && sent != AVERROR_EOF)
      if (auto status = damage(packet ? packet->pts : last_pts_, error(sent, "can't be decoded").what);
          !status)
        return status;
    while (true) {
      const int got = avcodec_receive_frame(decoder, frame);
      if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) break;
      if (got == AVERROR(ENOMEM)) return resource_error("no memory to decode");
      if (got < 0) {
        if (auto status = damage(last_pts_, error(got, "can't be decoded").what); !status) return status;
        continue;
      }
      const Stopwatch handing;
      Status status = hand_over(*frame);
      elsewhere += handing.ms();
      av_frame_unref(frame);
      if (!status) return status;
    }
    decode_ms_ += watch.ms() - elsewhere;
    return {};
  }

  Status hand_over(const AVFrame& frame) {
    if ((frame.flags & AV_FRAME_FLAG_CORRUPT) || frame.decode_error_flags)
      if (auto status = damage(frame.pts, "a frame is damaged"); !status) return status;
    const int64_t duration = std::max<int64_t>(0, frame.pkt_duration);
    const int64_t pts = time_of(frame);
    last_pts_ = pts;
    last_duration_ = duration;
    if (skipped_ < skip_) {
      ++skipped_;
      return {};
    }
    const auto slot = free_slot();
    if (!slot) return slot.error();
    const std::span<uint8_t> place = frames_.slot(*slot);
    const size_t bytes = picture_bytes(plan_.width, plan_.height, plan_.channels, plan_.bits);
    const Stopwatch converting;
    if (auto status = to_picture_.convert(frame, place.first(bytes)); !status) return status;
    convert_ms_ += converting.ms();
    int64_t side = 0;
    if (const AVFrameSideData* captions = av_frame_get_side_data(&frame, AV_FRAME_DATA_A53_CC);
        captions && captions->size <= kSideBytes) {
      side = int64_t(captions->size);
      std::memcpy(place.data() + bytes, captions->data, captions->size);
    }
    ++sent_;
    return channel_.send(
        {.type = MessageType::frame, .slot = *slot, .pts = pts, .duration = duration, .number = side});
  }

  // Later than the frame before, whatever the film says.
  int64_t time_of(const AVFrame& frame) const {
    const bool first = last_pts_ == AV_NOPTS_VALUE;
    const AVRational rate = plan_.frame_rate;
    const int64_t usual =
        last_duration_
            ? last_duration_
            : (rate.num ? std::max<int64_t>(1, av_rescale_q(1, av_inv_q(rate), plan_.time_base)) : 1);
    int64_t pts = frame.best_effort_timestamp;
    if (pts == AV_NOPTS_VALUE) pts = first ? 0 : last_pts_ + usual;
    return first ? pts : std::max(pts, last_pts_ + 1);
  }

  Result<int> free_slot() {
    while (free_.empty()) {
      auto message = channel_.receive();
      if (!message) return message.error();
      if ((*message)->type == MessageType::slot_free && (*message)->slot >= 0 &&
          (*message)->slot < frames_.slots())
        free_.push_back((*message)->slot);
    }
    const int slot = free_.front();
    free_.pop_front();
    return slot;
  }

  Channel& channel_;
  const Film& film_;
  Plan plan_;
  SharedFrames frames_;
  ToPicture to_picture_;
  std::deque<int> free_;
  int64_t skip_, skipped_ = 0, sent_ = 0, problems_ = 0;
  int64_t last_pts_ = AV_NOPTS_VALUE, last_duration_ = 0;
  bool damaged_;
  double decode_ms_ = 0, convert_ms_ = 0;
};

}  // namespace

Status decode(Channel& channel, const Json& job) {
  const auto plan = plan_from(job.at("plan"));
  if (!plan) return plan.error();
  const auto film = Film::open(kInputFd);
  if (!film) return film.error();
  if (film->video_index() != plan->video) return bad_input("has changed since it was looked at");
  for (unsigned i = 0; i < film->format()->nb_streams; ++i)
    if (int(i) != plan->video) film->format()->streams[i]->discard = AVDISCARD_ALL;
  auto frames = shared_frames_of(
      job, picture_bytes(plan->width, plan->height, plan->channels, plan->bits) + kSideBytes);
  if (!frames) return frames.error();
  auto decoder = film->decoder(plan->threads);
  if (!decoder) return decoder.error();
  Decoding decoding(channel, *film, *plan, *std::move(frames), job);
  if (auto status = decoding.run(decoder->get()); !status) return status;
  if (auto sent = channel.send({.type = MessageType::done}, decoding.report().dump()); !sent) return sent;
  // Slots still come back; fye ends the conversation.
  while (channel.receive()) continue;
  return {};
}

}  // namespace fye::av
