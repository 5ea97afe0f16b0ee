// Everything that can be refused is refused here, before any work: a trial opens the decoder and the encoder
// and writes the output's header to nowhere.
#include <fmt/format.h>

#include <algorithm>

#include "av/colour.h"
#include "av/encoder.h"
#include "av/jobs.h"
#include "av/open_film.h"
#include "av/output.h"

namespace fye::av {
namespace {

// As for pictures (users.md, R5).
constexpr int kMostSide = 65'535;
constexpr int64_t kMostPixels = 268'000'000;

std::string kind_of(const AVStream* stream) {
  const char* kind = av_get_media_type_string(stream->codecpar->codec_type);
  return kind ? kind : "data";
}

std::string language_of(const AVStream* stream) {
  const AVDictionaryEntry* tag = av_dict_get(stream->metadata, "language", nullptr, 0);
  return tag ? tag->value : "";
}

// Tracks that hold what FFmpeg also reads as chapters or a tag, and writes as such: of QuickTime.
bool is_made_anew(const Film& film, const AVStream* stream) {
  if (stream->codecpar->codec_type != AVMEDIA_TYPE_DATA) return false;
  const bool chapters = stream->codecpar->codec_id == AV_CODEC_ID_BIN_DATA &&
                        stream->codecpar->codec_tag == MKTAG('t', 'e', 'x', 't') &&
                        film.format()->nb_chapters > 0;
  const bool timecode = stream->codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd') &&
                        av_dict_get(film.video()->metadata, "timecode", nullptr, 0);
  return chapters || timecode;
}

// Of the picture; 0: not known.
double seconds_of(const Film& film) {
  const AVStream* video = film.video();
  if (video->duration != AV_NOPTS_VALUE) return double(video->duration) * av_q2d(video->time_base);
  return film.format()->duration != AV_NOPTS_VALUE ? double(film.format()->duration) / AV_TIME_BASE : 0;
}

Status check_size(const AVCodecParameters& p, int scale) {
  if (p.width < 1 || p.height < 1)
    return bad_input(fmt::format("its video has no size ({}x{})", p.width, p.height));
  const int64_t w = int64_t(p.width) * scale, h = int64_t(p.height) * scale;
  if (p.width > kMostSide || p.height > kMostSide || int64_t(p.width) * p.height > kMostPixels)
    return bad_input(fmt::format("its video claims {}x{} pixels, more than {} a side or {} million", p.width,
                                 p.height, kMostSide, kMostPixels / 1'000'000));
  if (w > kMostSide || h > kMostSide || w * h > kMostPixels)
    return bad_input(fmt::format("would become {}x{}, more than {} pixels a side or {} million", w, h,
                                 kMostSide, kMostPixels / 1'000'000),
                     "a smaller --scale");
  return {};
}

// The first frame, decoded: what it is made of is known only then for some codecs.
Result<Frame> first_frame(const Film& film, AVCodecContext* decoder) {
  Packet packet(av_packet_alloc());
  Frame frame(av_frame_alloc());
  if (!packet || !frame) return resource_error("no memory for a frame");
  for (bool more = true; more;) {
    const int read = av_read_frame(film.format(), packet.get());
    more = read >= 0;
    if (more && packet->stream_index != film.video_index()) {
      av_packet_unref(packet.get());
      continue;
    }
    avcodec_send_packet(decoder, more ? packet.get() : nullptr);
    av_packet_unref(packet.get());
    if (avcodec_receive_frame(decoder, frame.get()) >= 0) return frame;
  }
  return bad_input("has no frame that can be decoded", "is it whole?");
}

void describe_colours(const AVFrame& frame, Plan& plan, std::vector<std::string>& notices) {
  plan.colours = colours_of(frame, plan.height);
  plan.range = frame.color_range;
  // The formats of old say it by their name; the new one has to say it by a tag.
  if (plan.range == AVCOL_RANGE_UNSPECIFIED && plan.colours.full) plan.range = AVCOL_RANGE_JPEG;
  plan.primaries = frame.color_primaries;
  plan.transfer = frame.color_trc;
  plan.space = frame.colorspace;
  plan.chroma = frame.chroma_location;
  const bool rgb = av_pix_fmt_desc_get(AVPixelFormat(frame.format))->flags & AV_PIX_FMT_FLAG_RGB;
  if (rgb) return;
  if (plan.space == AVCOL_SPC_UNSPECIFIED &&
      colours_of(frame, plan.out_height).matrix != plan.colours.matrix) {
    plan.space = tag_of(plan.colours.matrix, plan.height);
    notices.push_back(
        fmt::format("the film does not say its colour matrix; BT.601 is taken and written, since players "
                    "would take another one at {} lines",
                    plan.out_height));
  }
}

// The streams to copy, and those that the output's container can't hold.
Status check_streams(const Film& film, Plan& plan, const std::vector<int>& leave_out,
                     const AVCodecContext& made, Json& streams, std::vector<std::string>& notices) {
  const AVFormatContext* format = film.format();
  for (const int index : leave_out)
    if (index < 0 || index >= int(format->nb_streams) || index == plan.video)
      return usage_error(fmt::format("--leave-out {}: it has streams 0 to {}, and {} is the picture", index,
                                     format->nb_streams - 1, plan.video));
  for (int i = 0; i < int(format->nb_streams); ++i) {
    const AVStream* stream = format->streams[i];
    const bool left = std::find(leave_out.begin(), leave_out.end(), i) != leave_out.end();
    const bool anew = is_made_anew(film, stream);
    if (i != plan.video && !left && !anew) plan.copied.push_back(i);
    const char* fate = i == plan.video ? "enlarged" : left ? "left out" : anew ? "made anew" : "copied";
    streams.push_back({{"index", i},
                       {"kind", kind_of(stream)},
                       {"codec", avcodec_get_name(stream->codecpar->codec_id)},
                       {"language", language_of(stream)},
                       {"fate", fate}});
  }
  const auto try_header = [&](std::optional<int> only) -> Status {
    AVIOContext* nowhere = nullptr;
    if (avio_open_dyn_buf(&nowhere) < 0) return resource_error("no memory for a trial");
    Status result;
    {
      const auto output = Output::begin(film, plan, made, nowhere, only);
      if (!output) result = output.error();
    }
    uint8_t* bytes = nullptr;
    avio_close_dyn_buf(nowhere, &bytes);
    av_free(bytes);
    return result;
  };
  const Status whole = try_header(std::nullopt);
  if (whole) {
    if (plan.container == "avi")
      notices.push_back("avi has one frame rate for all frames: their times may move");
    return {};
  }
  for (const int i : plan.copied) {
    if (try_header(i)) continue;
    const AVStream* stream = format->streams[i];
    const std::string hint = plan.container == "matroska"
                                 ? fmt::format("leave it out: --leave-out {}", i)
                                 : fmt::format("write to .mkv, or leave it out: --leave-out {}", i);
    return bad_input(fmt::format("{} can't hold its stream {} ({}, {})", plan.container, i, kind_of(stream),
                                 avcodec_get_name(stream->codecpar->codec_id)),
                     hint);
  }
  return Error{whole.error().code, whole.error().what, "write to .mkv"};
}

}  // namespace

Status probe(Channel& channel, const Json& job) {
  const auto film = Film::open(kInputFd);
  if (!film) return film.error();
  const AVStream* video = film->video();
  const int scale = job.at("scale").get<int>();
  if (auto status = check_size(*video->codecpar, scale); !status) return status;
  if (const auto cut = film->cut_off(kInputFd); cut && !job.at("damaged").get<bool>())
    return bad_input(*cut, "--damaged enlarges what is there");

  const AVOutputFormat* container =
      av_guess_format(nullptr, job.at("output").get<std::string>().c_str(), nullptr);
  if (!container || container->video_codec == AV_CODEC_ID_NONE || (container->flags & AVFMT_NOFILE))
    return usage_error(
        fmt::format("{}: no container for films has this extension", job.at("output").get<std::string>()),
        ".mkv, .mp4, .mov, .webm and others are known");

  auto decoder = film->decoder(1);
  if (!decoder) return decoder.error();
  auto frame = first_frame(*film, decoder->get());
  if (!frame) return frame.error();
  const AVFrame& first = **frame;

  Plan plan;
  std::vector<std::string> notices;
  plan.video = film->video_index();
  plan.width = first.width;
  plan.height = first.height;
  plan.out_width = first.width * scale;
  plan.out_height = first.height * scale;
  if (auto status = check_size(*video->codecpar, scale); !status) return status;
  const auto source = plain_format(AVPixelFormat(first.format));
  const AVPixFmtDescriptor* form = av_pix_fmt_desc_get(source);
  plan.bits = form->comp[0].depth > 8 ? 16 : 8;
  plan.channels = (form->flags & AV_PIX_FMT_FLAG_ALPHA) && !(form->flags & AV_PIX_FMT_FLAG_PAL) ? 4 : 3;
  plan.time_base = video->time_base;
  plan.frame_rate = video->avg_frame_rate.num ? video->avg_frame_rate : video->r_frame_rate;
  plan.aspect = av_guess_sample_aspect_ratio(film->format(), film->video(), nullptr);
  plan.container = container->name;
  plan.threads = job.at("threads").get<int>();
  if (first.interlaced_frame)
    notices.push_back("the film is interlaced; its frames are enlarged as they are, as if they were whole");
  describe_colours(first, plan, notices);

  EncoderWish wish;
  const Json& asked = job.at("encoder");
  asked.at("name").get_to(wish.name);
  if (asked.contains("crf")) wish.crf = asked.at("crf").get<int>();
  asked.at("preset").get_to(wish.preset);
  asked.at("options").get_to(wish.options);
  if (auto status = choose_encoder(wish, source, plan, notices); !status) return status;
  if (plan.channels == 4 && !(av_pix_fmt_desc_get(plan.format)->flags & AV_PIX_FMT_FLAG_ALPHA)) {
    plan.channels = 3;
    notices.push_back(fmt::format("{} can't hold transparency; it is left behind", plan.encoder));
  }
  const auto made = open_encoder(plan);
  if (!made) return made.error();

  Json streams = Json::array();
  if (auto status =
          check_streams(*film, plan, job.at("leave_out").get<std::vector<int>>(), **made, streams, notices);
      !status)
    return status;

  const Json found = {{"container", film->format()->iformat->name},
                      {"codec", avcodec_get_name(video->codecpar->codec_id)},
                      {"pixels", av_get_pix_fmt_name(AVPixelFormat(first.format))},
                      {"frames", std::max<int64_t>(0, video->nb_frames)},
                      {"seconds", seconds_of(*film)},
                      {"start_s", first.best_effort_timestamp == AV_NOPTS_VALUE
                                      ? 0.
                                      : double(first.best_effort_timestamp) * av_q2d(video->time_base)},
                      {"chapters", film->format()->nb_chapters},
                      {"streams", streams},
                      {"notices", notices}};
  return channel.send({.type = MessageType::done}, Json{{"film", found}, {"plan", to_json(plan)}}.dump(
                                                       -1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace fye::av
