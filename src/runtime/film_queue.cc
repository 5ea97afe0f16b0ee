#include "runtime/film_queue.h"

#include <fmt/format.h>
#include <poll.h>

#include "base/clock.h"

namespace fye {
namespace {

// How often stop() is asked while nothing comes.
constexpr int kPatienceMs = 50;
// After a stop, segments that were handed over whole may still come to their end.
constexpr double kLastSegmentsMs = 5000;

}  // namespace

FilmQueue::FilmQueue(Helper decoder, Helper encoder, const Start& start, const SharedFrames& decoded,
                     const SharedFrames& enlarged, FilmWork& work)
    : decoder_(std::move(decoder)),
      encoder_(std::move(encoder)),
      name_(start.name),
      stop_(start.stop),
      decoded_(&decoded),
      enlarged_(&enlarged),
      work_(&work),
      number_(int64_t(work.segments().size())) {}

Result<FilmQueue> FilmQueue::start(const Start& start, const SharedFrames& decoded,
                                   const SharedFrames& enlarged, FilmWork& work) {
  const auto job = [&](const char* name, const SharedFrames& frames) {
    return Json{{"job", name},
                {"plan", start.plan},
                {"slots", frames.slots()},
                {"slot_bytes", frames.slot(0).size()},
                {"skip", start.skip},
                {"damaged", start.damaged}};
  };
  auto decoder =
      Helper::start(start.name, job("decode", decoded), {.memory = decoded.fd(), .input = start.input});
  if (!decoder) return decoder.error();
  auto encoder = Helper::start(start.name, job("encode", enlarged), {.memory = enlarged.fd()});
  if (!encoder) return encoder.error();
  FilmQueue queue(*std::move(decoder), *std::move(encoder), start, decoded, enlarged, work);
  for (int slot = 0; slot < decoded.slots(); ++slot)
    if (auto sent = queue.decoder_.send({.type = MessageType::slot_free, .slot = slot}); !sent)
      return sent.error();
  for (int slot = 0; slot < enlarged.slots(); ++slot) queue.free_.push_back(slot);
  return queue;
}

Status FilmQueue::from_decoder(const Message& message) {
  if (message.type == MessageType::done) {
    auto report = json_of(message);
    if (!report) return report.error();
    decoded_all_ = *std::move(report);
    return {};
  }
  if (message.type != MessageType::frame || message.slot < 0 || message.slot >= decoded_->slots() ||
      message.number < 0 || message.number > int64_t(kSideBytes))
    return internal_error(name_ + ": the decoder talks nonsense");
  ready_.push_back({message.slot, message.pts, message.duration, message.number});
  return {};
}

Status FilmQueue::from_encoder(const Message& message) {
  if (message.type == MessageType::slot_free && message.slot >= 0 && message.slot < enlarged_->slots()) {
    free_.push_back(message.slot);
    return {};
  }
  const auto segment = in_flight_.find(message.number);
  if (message.type != MessageType::segment_done || segment == in_flight_.end())
    return internal_error(name_ + ": the encoder talks nonsense");
  auto report = json_of(message);
  if (!report) return report.error();
  const int64_t frames = segment->second, packets = report->value("packets", int64_t{-1});
  if (packets != frames)
    return internal_error(
        fmt::format("{}: the encoder made {} pictures of {} frames", name_, packets, frames));
  last_segment_ = *std::move(report);
  in_flight_.erase(segment);
  return work_->finish_segment(message.number, frames);
}

// Waits a moment for either process, and takes everything that it has to say.
Status FilmQueue::pump() {
  pollfd ends[] = {{decoder_.fd(), POLLIN, 0}, {encoder_.fd(), POLLIN, 0}};
  if (decoded_all_) ends[0].fd = -1;
  poll(ends, 2, kPatienceMs);
  for (const bool decoder : {true, false}) {
    if (!ends[decoder ? 0 : 1].revents) continue;
    Helper& helper = decoder ? decoder_ : encoder_;
    while (!(decoder && decoded_all_)) {
      const auto message = helper.receive(std::chrono::milliseconds(0));
      if (!message) return message.error();
      if (!*message) break;
      if (auto status = decoder ? from_decoder(**message) : from_encoder(**message); !status) return status;
    }
  }
  return {};
}

Result<std::optional<DecodedFrame>> FilmQueue::next_frame() {
  const Stopwatch watch;
  while (true) {
    if (stop_ && stop_()) return interrupted_error(name_ + ": stopped");
    if (!ready_.empty()) break;
    if (decoded_all_) return std::optional<DecodedFrame>();
    if (auto status = pump(); !status) return status.error();
  }
  waited_in_ms_ += watch.ms();
  const DecodedFrame frame = ready_.front();
  ready_.pop_front();
  return std::optional(frame);
}

Result<int> FilmQueue::free_slot() {
  const Stopwatch watch;
  while (free_.empty())
    if (auto status = pump(); !status) return status.error();
  waited_out_ms_ += watch.ms();
  const int slot = free_.front();
  free_.pop_front();
  return slot;
}

Status FilmQueue::hand_on(const DecodedFrame& frame, int slot) {
  if (!decoded_all_)
    if (auto sent = decoder_.send({.type = MessageType::slot_free, .slot = frame.slot}); !sent) return sent;
  if (frames_ == 0) {
    const auto file = work_->begin_segment(number_);
    if (!file) return file.error();
    if (auto sent = encoder_.send({.type = MessageType::segment_begin, .number = number_}, {}, file->get());
        !sent)
      return sent;
  }
  ++frames_;
  return encoder_.send({.type = MessageType::frame,
                        .slot = slot,
                        .pts = frame.pts,
                        .duration = frame.duration,
                        .number = frame.side_bytes});
}

Status FilmQueue::end_segment() {
  in_flight_[number_] = frames_;
  frames_ = 0;
  return encoder_.send({.type = MessageType::segment_end, .number = number_++});
}

Status FilmQueue::finish() {
  const Stopwatch watch;
  while (!in_flight_.empty())
    if (auto status = pump(); !status) return status;
  waited_out_ms_ += watch.ms();
  return {};
}

void FilmQueue::keep_what_is_whole() {
  for (const Stopwatch waited; !in_flight_.empty() && waited.ms() < kLastSegmentsMs;)
    if (!pump()) return;
}

void FilmQueue::tell(FilmReport& report) const {
  const auto number = [](const std::optional<Json>& json, const char* key) {
    return json && json->contains(key) && (*json)[key].is_number() ? (*json)[key].get<double>() : 0.;
  };
  report.decode_ms = number(decoded_all_, "decode_ms") + number(decoded_all_, "convert_ms");
  report.encode_ms = number(last_segment_, "busy_ms");
  report.waited_for_decode_ms = waited_in_ms_;
  report.waited_for_encode_ms = waited_out_ms_;
}

}  // namespace fye
