#include "av/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace fye::av {
namespace {

// What Matroska's muxers note about a stream's bytes; wrong for a new picture.
constexpr const char* kStale[] = {"BPS",
                                  "NUMBER_OF_BYTES",
                                  "NUMBER_OF_FRAMES",
                                  "_STATISTICS_WRITING_APP",
                                  "_STATISTICS_WRITING_DATE_UTC",
                                  "_STATISTICS_TAGS",
                                  "encoder",
                                  "ENCODER"};

// Tags of MP4 and QuickTime that have a place of their own there; others need the key table.
constexpr const char* kPlainTags[] = {"title",        "author",        "artist",
                                      "album_artist", "composer",      "album",
                                      "date",         "encoder",       "comment",
                                      "genre",        "copyright",     "grouping",
                                      "lyrics",       "description",   "synopsis",
                                      "show",         "episode_id",    "network",
                                      "keywords",     "track",         "disc",
                                      "compilation",  "rating",        "creation_time",
                                      "major_brand",  "minor_version", "compatible_brands",
                                      "media_type",   "hd_video",      "gapless_playback",
                                      "location",     "make",          "model",
                                      "performer",    "year",          "language"};

bool has_other_tags(const AVDictionary* tags) {
  const AVDictionaryEntry* tag = nullptr;
  while ((tag = av_dict_get(tags, "", tag, AV_DICT_IGNORE_SUFFIX)))
    if (std::none_of(std::begin(kPlainTags), std::end(kPlainTags),
                     [&](const char* k) { return !strcmp(k, tag->key); }))
      return true;
  return false;
}

Status copy_side_data(const AVStream* from, AVStream* to) {
  for (int i = 0; i < from->nb_side_data; ++i) {
    const AVPacketSideData& data = from->side_data[i];
    uint8_t* place = av_stream_new_side_data(to, data.type, data.size);
    if (!place) return resource_error("no memory for a stream's side data");
    std::memcpy(place, data.data, data.size);
  }
  return {};
}

Status copy_chapters(const AVFormatContext* from, AVFormatContext* to) {
  to->chapters = static_cast<AVChapter**>(av_calloc(from->nb_chapters + 1, sizeof(AVChapter*)));
  if (!to->chapters) return resource_error("no memory for chapters");
  for (unsigned i = 0; i < from->nb_chapters; ++i) {
    auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    if (!chapter) return resource_error("no memory for chapters");
    const AVChapter* old = from->chapters[i];
    chapter->id = old->id;
    chapter->time_base = old->time_base;
    chapter->start = old->start;
    chapter->end = old->end;
    av_dict_copy(&chapter->metadata, old->metadata, 0);
    to->chapters[to->nb_chapters++] = chapter;
  }
  return {};
}

bool is_mov(const AVFormatContext* format) {
  constexpr std::array kNames = {"mov", "mp4", "ipod", "3gp", "3g2", "psp", "ismv", "f4v"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](const char* n) { return !strcmp(format->oformat->name, n); });
}

}  // namespace

Output::Output(Output&& other) noexcept
    : format_(std::exchange(other.format_, nullptr)), video_(other.video_), place_(std::move(other.place_)) {}

Output::~Output() { avformat_free_context(format_); }

AVStream* Output::of(int stream) const {
  if (stream < 0 || size_t(stream) >= place_.size() || place_[size_t(stream)] < 0) return nullptr;
  return format_->streams[place_[size_t(stream)]];
}

Status Output::add_video(const AVStream* from, const Plan& plan, const AVCodecContext& made) {
  AVStream* stream = avformat_new_stream(format_, nullptr);
  if (!stream || avcodec_parameters_from_context(stream->codecpar, &made) < 0)
    return resource_error("no memory for a stream");
  video_ = stream->index;
  stream->time_base = plan.time_base;
  stream->avg_frame_rate = from->avg_frame_rate;
  stream->r_frame_rate = from->r_frame_rate;
  stream->sample_aspect_ratio = plan.aspect;
  stream->codecpar->sample_aspect_ratio = plan.aspect;
  stream->codecpar->field_order = from->codecpar->field_order;
  stream->disposition = from->disposition;
  stream->id = from->id;
  // Apple's players know this mark alone.
  if (made.codec_id == AV_CODEC_ID_HEVC && is_mov(format_))
    stream->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  av_dict_copy(&stream->metadata, from->metadata, 0);
  for (const char* stale : kStale) {
    const AVDictionaryEntry* tag;
    // Such tags carry a language too: BPS-eng.
    while (
        (tag = av_dict_get(stream->metadata, stale, nullptr, AV_DICT_MATCH_CASE | AV_DICT_IGNORE_SUFFIX))) {
      const std::string key = tag->key;
      av_dict_set(&stream->metadata, key.c_str(), nullptr, 0);
    }
  }
  return copy_side_data(from, stream);
}

Status Output::add_copy(const AVStream* from) {
  AVStream* stream = avformat_new_stream(format_, nullptr);
  if (!stream || avcodec_parameters_copy(stream->codecpar, from->codecpar) < 0)
    return resource_error("no memory for a stream");
  place_[size_t(from->index)] = stream->index;
  // Kept where the container knows it for this codec.
  const uint32_t tag = from->codecpar->codec_tag;
  unsigned wanted = 0;
  const AVCodecTag* const* tags = format_->oformat->codec_tag;
  const bool known = !tags || av_codec_get_id(tags, tag) == from->codecpar->codec_id ||
                     !av_codec_get_tag2(tags, from->codecpar->codec_id, &wanted);
  stream->codecpar->codec_tag = known ? tag : 0;
  stream->time_base = from->time_base;
  stream->avg_frame_rate = from->avg_frame_rate;
  stream->r_frame_rate = from->r_frame_rate;
  stream->sample_aspect_ratio = from->sample_aspect_ratio;
  stream->disposition = from->disposition;
  stream->duration = from->duration;
  stream->id = from->id;
  av_dict_copy(&stream->metadata, from->metadata, 0);
  return copy_side_data(from, stream);
}

Result<Output> Output::begin(const Film& film, const Plan& plan, const AVCodecContext& made, AVIOContext* io,
                             std::optional<int> only) {
  AVFormatContext* format = nullptr;
  if (const int code = avformat_alloc_output_context2(&format, nullptr, plan.container.c_str(), nullptr);
      code < 0)
    return error(code, "no container " + plan.container);
  Output out(format);
  format->pb = io;
  // No dates, random numbers or versions: the same film is the same file.
  format->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
  const AVFormatContext* from = film.format();
  out.place_.assign(from->nb_streams, -1);
  if (!only) {
    av_dict_copy(&format->metadata, from->metadata, 0);
    for (const char* stale : {"encoder", "major_brand", "minor_version", "compatible_brands"})
      av_dict_set(&format->metadata, stale, nullptr, 0);
    if (auto status = copy_chapters(from, format); !status) return status.error();
  }
  for (int i = 0; i < int(from->nb_streams); ++i) {
    if (i == plan.video && !only)
      if (auto status = out.add_video(from->streams[i], plan, made); !status) return status.error();
    if (std::binary_search(plan.copied.begin(), plan.copied.end(), i) && (!only || *only == i))
      if (auto status = out.add_copy(from->streams[i]); !status) return status.error();
  }
  AVDictionary* options = nullptr;
  if (is_mov(format)) {
    if (has_other_tags(format->metadata)) av_dict_set(&options, "movflags", "use_metadata_tags", 0);
    // The film's own clock; any other would move its frames.
    if (plan.time_base.num == 1) av_dict_set_int(&options, "video_track_timescale", plan.time_base.den, 0);
  }
  const int code = avformat_write_header(format, &options);
  av_dict_free(&options);
  if (code < 0) return error(code, fmt::format("{} can't hold these streams", plan.container));
  return out;
}

Status Output::finish() {
  if (const int code = av_write_trailer(format_); code < 0) return error(code, "can't be finished");
  avio_flush(format_->pb);
  return {};
}

}  // namespace fye::av
