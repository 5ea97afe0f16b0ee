#include "av/open_film.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace fye::av {
namespace {

// Containers that hold their streams themselves; playlists and the like, which want other files, are none.
constexpr const char* kContainers =
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,mxf,nut,ivf,yuv4mpegpipe,gxf,wtv,rm,dv,h264,hevc,obu,m4v,vc1";

// And whoever asks for another file gets none.
int open_nothing(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

// An EBML number (RFC 8794): its length stands in the leading zeros; all ones: not known.
std::optional<uint64_t> ebml_size(const std::array<uint8_t, 4096>& bytes, size_t& at) {
  if (at >= bytes.size() || !bytes[at]) return std::nullopt;
  const int length = __builtin_clz(bytes[at]) - 24 + 1;
  uint64_t value = bytes[at] & (0xFFu >> length), ones = value == (0xFFu >> length);
  for (int i = 1; i < length; ++i) {
    if (at + size_t(i) >= bytes.size()) return std::nullopt;
    value = value << 8 | bytes[at + size_t(i)];
    ones &= bytes[at + size_t(i)] == 0xFF;
  }
  at += size_t(length);
  if (ones) return std::nullopt;
  return value;
}

// Bytes that a Matroska or RIFF file says it has.
std::optional<int64_t> declared_bytes(int fd) {
  std::array<uint8_t, 4096> head = {};
  if (pread(fd, head.data(), head.size(), 0) < 16) return std::nullopt;
  const auto begins = [&](size_t at, std::initializer_list<uint8_t> bytes) {
    return at + bytes.size() <= head.size() &&
           std::equal(bytes.begin(), bytes.end(), head.begin() + long(at));
  };
  if (begins(0, {'R', 'I', 'F', 'F'}))
    return 8 + int64_t(head[4] | head[5] << 8 | head[6] << 16 | uint32_t(head[7]) << 24);
  if (!begins(0, {0x1A, 0x45, 0xDF, 0xA3})) return std::nullopt;
  size_t at = 4;
  const auto header = ebml_size(head, at);
  if (!header || *header > head.size()) return std::nullopt;
  at += size_t(*header);
  if (!begins(at, {0x18, 0x53, 0x80, 0x67})) return std::nullopt;
  at += 4;
  const auto segment = ebml_size(head, at);
  if (!segment || *segment > uint64_t(INT64_MAX) / 2) return std::nullopt;
  return int64_t(*segment) + int64_t(at);
}

// The picture that is watched: by FFmpeg's own rule, but never a cover.
int choose_video(AVFormatContext* format) {
  const int best = av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best >= 0 && !(format->streams[best]->disposition & AV_DISPOSITION_ATTACHED_PIC)) return best;
  for (unsigned i = 0; i < format->nb_streams; ++i)
    if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
        !(format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC))
      return int(i);
  return -1;
}

}  // namespace

Film::Film(Film&& other) noexcept
    : io_(std::move(other.io_)), format_(std::exchange(other.format_, nullptr)), video_(other.video_) {}

Film::~Film() { avformat_close_input(&format_); }

Result<Film> Film::open(int fd) {
  auto io = FdIo::reading(fd);
  if (!io) return io.error();
  AVFormatContext* format = avformat_alloc_context();
  if (!format) return resource_error("no memory to open the film");
  format->pb = io->context();
  format->io_open = open_nothing;
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->format_whitelist = av_strdup(kContainers);
  format->protocol_whitelist = av_strdup("none");
  // Frees the context itself where it fails.
  if (const int code = avformat_open_input(&format, "", nullptr, nullptr); code < 0)
    // Whatever the code: what has no end of wishes for memory, or for other files, is no film.
    return bad_input(error(code, "can't be read as a film").what, "is it a film at all, and whole?");
  Film film(*std::move(io), format);
  if (const int code = avformat_find_stream_info(format, nullptr); code < 0)
    return error(code, "its streams can't be read");
  film.video_ = choose_video(format);
  if (film.video_ < 0)
    return bad_input("has no video stream", "fye enlarges pictures; this has only sound or other data");
  return film;
}

Result<Codec> Film::decoder(int threads) const {
  const AVCodecParameters* parameters = video()->codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters->codec_id);
  if (!codec)
    return bad_input(fmt::format("its video is {}, which this FFmpeg can't decode",
                                 avcodec_get_name(parameters->codec_id)));
  Codec context(avcodec_alloc_context3(codec));
  if (!context) return resource_error("no memory for a decoder");
  if (const int code = avcodec_parameters_to_context(context.get(), parameters); code < 0)
    return error(code, "its video can't be described");
  context->pkt_timebase = video()->time_base;
  context->thread_count = threads;
  context->err_recognition = AV_EF_CRCCHECK;
  if (const int code = avcodec_open2(context.get(), codec, nullptr); code < 0)
    return error(code, fmt::format("its video ({}) can't be decoded", codec->name));
  return context;
}

std::string Film::seconds(int64_t pts) const {
  return pts == AV_NOPTS_VALUE ? "?" : fmt::format("{:.2f}", double(pts) * av_q2d(video()->time_base));
}

std::optional<std::string> Film::cut_off(int fd) const {
  struct stat info;
  if (fstat(fd, &info) != 0) return std::nullopt;
  const auto sentence = [&](int64_t bytes) {
    return fmt::format("is cut off: {} bytes, where it says itself that it has {}", int64_t(info.st_size),
                       bytes);
  };
  if (const auto bytes = declared_bytes(fd); bytes && *bytes > info.st_size) return sentence(*bytes);
  int64_t end = 0;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    for (int k = 0; k < avformat_index_get_entries_count(stream); ++k) {
      const AVIndexEntry* entry = avformat_index_get_entry(stream, k);
      end = std::max(end, entry->pos + entry->size);
    }
  }
  if (end > info.st_size) return sentence(end);
  return std::nullopt;
}

}  // namespace fye::av
