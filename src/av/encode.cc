// Each segment has an encoder of its own, so that it depends on nothing before it; times go in from 0 on.
#include <fmt/format.h>

#include <cstring>
#include <map>
#include <optional>

#include "av/encoder.h"
#include "av/frame_slots.h"
#include "av/jobs.h"
#include "av/segment_file.h"
#include "base/clock.h"

namespace fye::av {
namespace {

class Encoding {
 public:
  Encoding(Channel& channel, const Plan& plan, SharedFrames frames)
      : channel_(channel), plan_(plan), frames_(std::move(frames)), to_frame_(plan) {}

  // Until fye closes its end.
  Status run() {
    while (true) {
      auto message = channel_.receive();
      if (!message) return {};
      const Stopwatch watch;
      const Status status = handle(**message);
      busy_ms_ += watch.ms();
      if (!status) return status;
    }
  }

 private:
  Status handle(Message& message) {
    switch (message.type) {
      case MessageType::segment_begin:
        return begin(message);
      case MessageType::frame:
        return frame(message);
      case MessageType::segment_end:
        return end(message.number);
      default:
        return internal_error("an order that is none");
    }
  }

  Status begin(Message& message) {
    auto made = open_encoder(plan_);
    if (!made) return made.error();
    encoder_ = *std::move(made);
    file_ = std::move(message.file);
    durations_.clear();
    first_.reset();
    return {};
  }

  Status frame(const Message& message) {
    if (!encoder_ || message.slot < 0 || message.slot >= frames_.slots())
      return internal_error("a frame of no segment");
    const size_t bytes = picture_bytes(plan_.out_width, plan_.out_height, plan_.channels, plan_.bits);
    const std::span<uint8_t> place = frames_.slot(message.slot);
    const Stopwatch converting;
    auto made = to_frame_.convert(place.first(bytes));
    convert_ms_ += converting.ms();
    if (!made) return made.error();
    AVFrame& frame = **made;
    if (message.number > 0 && message.number <= int64_t(kSideBytes)) {
      AVFrameSideData* captions =
          av_frame_new_side_data(&frame, AV_FRAME_DATA_A53_CC, size_t(message.number));
      if (!captions) return resource_error("no memory for captions");
      std::memcpy(captions->data, place.data() + bytes, size_t(message.number));
    }
    if (auto sent = channel_.send({.type = MessageType::slot_free, .slot = message.slot}); !sent) return sent;
    if (!first_) first_ = message.pts;
    frame.pts = message.pts - *first_;
    frame.pkt_duration = message.duration;
    durations_[frame.pts] = message.duration;
    return encode(&frame);
  }

  Status end(int64_t number) {
    if (!encoder_) return internal_error("the end of no segment");
    if (auto status = encode(nullptr); !status) return status;
    if (!writer_) return internal_error(plan_.encoder + " made nothing of a segment");
    const auto packets = writer_->finish();
    if (!packets) return packets.error();
    writer_.reset();
    encoder_.reset();
    const Json report = {{"packets", *packets}, {"busy_ms", busy_ms_}, {"convert_ms", convert_ms_}};
    return channel_.send({.type = MessageType::segment_done, .number = number}, report.dump());
  }

  Status encode(const AVFrame* frame) {
    if (const int code = avcodec_send_frame(encoder_.get(), frame); code < 0)
      return error(code, plan_.encoder + " can't encode a frame");
    Packet packet(av_packet_alloc());
    if (!packet) return resource_error("no memory to encode");
    while (true) {
      const int code = avcodec_receive_packet(encoder_.get(), packet.get());
      if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
      if (code < 0) return error(code, plan_.encoder + " can't encode");
      StoredPacket stored;
      stored.pts = packet->pts + *first_;
      const auto duration = durations_.find(packet->pts);
      stored.duration = duration == durations_.end() ? packet->duration : duration->second;
      stored.key = packet->flags & AV_PKT_FLAG_KEY;
      stored.bytes.assign(reinterpret_cast<const char*>(packet->data), size_t(packet->size));
      const std::string late_extra = extra_data_of(*packet);
      av_packet_unref(packet.get());
      if (!writer_) {
        const std::string extra(reinterpret_cast<const char*>(encoder_->extradata),
                                size_t(encoder_->extradata_size));
        auto begun = SegmentWriter::begin(std::move(file_), extra.empty() ? late_extra : extra);
        if (!begun) return begun.error();
        writer_.emplace(*std::move(begun));
      }
      if (auto status = writer_->add(stored); !status) return status;
    }
  }

  // Some encoders know their head only with the first packet (libaom).
  static std::string extra_data_of(const AVPacket& packet) {
    size_t size = 0;
    const uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
    return data ? std::string(reinterpret_cast<const char*>(data), size) : "";
  }

  Channel& channel_;
  Plan plan_;
  SharedFrames frames_;
  ToFrame to_frame_;
  Codec encoder_;
  Descriptor file_;
  std::optional<SegmentWriter> writer_;
  std::map<int64_t, int64_t> durations_;  // by time in the segment
  std::optional<int64_t> first_;
  double busy_ms_ = 0, convert_ms_ = 0;
};

}  // namespace

Status encode(Channel& channel, const Json& job) {
  const auto plan = plan_from(job.at("plan"));
  if (!plan) return plan.error();
  auto frames = shared_frames_of(
      job, picture_bytes(plan->out_width, plan->out_height, plan->channels, plan->bits) + kSideBytes);
  if (!frames) return frames.error();
  return Encoding(channel, *plan, *std::move(frames)).run();
}

}  // namespace fye::av
