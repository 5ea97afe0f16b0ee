// What a conversion there and back costs is measured by tests/film_cli_test.py (a network that changes
// nothing).
#include "av/colour.h"

#include <fmt/format.h>

#include <cstring>

namespace fye::av {
namespace {

// Every chroma sample is worked out at its own place, with rounding: slower, but nothing is lost on the way
// that the film's own bits can hold.
constexpr int kFlags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;

// From this many lines on players take an untagged film for BT.709.
constexpr int kHighDefinition = 720;

AVPixelFormat picture_format(int channels, int bits) {
  if (bits == 8) return channels == 4 ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
  return channels == 4 ? AV_PIX_FMT_RGBA64 : AV_PIX_FMT_RGB48;  // native byte order
}

int matrix_of(int space, int height) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return height < kHighDefinition ? SWS_CS_ITU601 : SWS_CS_ITU709;
  }
}

bool is_old_full_range(AVPixelFormat format) { return plain_format(format) != format; }

Frame aligned_frame(AVPixelFormat format, int width, int height) {
  Frame frame(av_frame_alloc());
  if (!frame) return nullptr;
  frame->format = format;
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return nullptr;
  return frame;
}

// Of swscale's position options: in 1/256 of a luma sample.
struct Siting {
  int x, y;
};
Siting siting_of(int chroma) {
  switch (chroma) {
    case AVCHROMA_LOC_CENTER:
      return {128, 128};
    case AVCHROMA_LOC_TOPLEFT:
      return {0, 0};
    case AVCHROMA_LOC_TOP:
      return {128, 0};
    case AVCHROMA_LOC_BOTTOMLEFT:
      return {0, 256};
    case AVCHROMA_LOC_BOTTOM:
      return {128, 256};
    default:
      return {0, 128};  // left: MPEG-2 and everything after it
  }
}

// Positions of a format without subsampling in that direction stay swscale's own.
void place_chroma(SwsContext* sws, const char* side, AVPixelFormat format, int chroma) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(format);
  const Siting at = siting_of(chroma);
  if (d->log2_chroma_w) av_opt_set_int(sws, fmt::format("{}_h_chr_pos", side).c_str(), at.x, 0);
  if (d->log2_chroma_h) av_opt_set_int(sws, fmt::format("{}_v_chr_pos", side).c_str(), at.y, 0);
}

Result<Sws> converter(int width, int height, AVPixelFormat from, AVPixelFormat to, const Colours& colours) {
  Sws sws(sws_alloc_context());
  if (!sws) return resource_error("no memory for a colour conversion");
  const std::pair<const char*, int64_t> options[] = {
      {"srcw", width},      {"srch", height},   {"dstw", width},      {"dsth", height},
      {"src_format", from}, {"dst_format", to}, {"sws_flags", kFlags}};
  for (const auto& [name, value] : options) av_opt_set_int(sws.get(), name, value, 0);
  place_chroma(sws.get(), "src", from, colours.chroma);
  place_chroma(sws.get(), "dst", to, colours.chroma);
  const auto is_rgb = [](AVPixelFormat f) {
    return (av_pix_fmt_desc_get(f)->flags & AV_PIX_FMT_FLAG_RGB) != 0;
  };
  av_opt_set_int(sws.get(), "src_range", is_rgb(from) || colours.full, 0);
  av_opt_set_int(sws.get(), "dst_range", is_rgb(to) || colours.full, 0);
  if (!sws_isSupportedInput(from) || !sws_isSupportedOutput(to) ||
      sws_init_context(sws.get(), nullptr, nullptr) < 0)
    return bad_input(fmt::format("its pictures ({}) can't be converted to {}", av_get_pix_fmt_name(from),
                                 av_get_pix_fmt_name(to)));
  const int* table = sws_getCoefficients(colours.matrix);
  constexpr int kOne = 1 << 16;
  // Refused for RGB to RGB, where there is no matrix.
  sws_setColorspaceDetails(sws.get(), table, is_rgb(from) || colours.full, table, is_rgb(to) || colours.full,
                           0, kOne, kOne);
  return sws;
}

}  // namespace

Colours colours_of(const AVFrame& frame, int height) {
  Colours c;
  c.matrix = matrix_of(frame.colorspace, height);
  c.full = frame.color_range == AVCOL_RANGE_JPEG ||
           (frame.color_range == AVCOL_RANGE_UNSPECIFIED && is_old_full_range(AVPixelFormat(frame.format)));
  c.chroma = frame.chroma_location;
  return c;
}

int tag_of(int matrix, int height) {
  switch (matrix) {
    case SWS_CS_ITU709:
      return AVCOL_SPC_BT709;
    default:
      return height < 576 ? AVCOL_SPC_SMPTE170M : AVCOL_SPC_BT470BG;
  }
}

AVPixelFormat plain_format(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    default:
      return format;
  }
}

Status ToPicture::convert(const AVFrame& frame, std::span<uint8_t> picture) {
  if (frame.width != plan_.width || frame.height != plan_.height)
    return bad_input(fmt::format("changes its size on the way: {}x{}, where it began with {}x{}", frame.width,
                                 frame.height, plan_.width, plan_.height),
                     "cut it there, and enlarge the parts");
  const AVPixelFormat to = picture_format(plan_.channels, plan_.bits);
  if (!sws_ || frame.format != format_) {
    format_ = AVPixelFormat(frame.format);
    auto made = converter(plan_.width, plan_.height, plain_format(format_), to, plan_.colours);
    if (!made) return made.error();
    sws_ = *std::move(made);
    rgb_ = aligned_frame(to, plan_.width, plan_.height);
    if (!rgb_) return resource_error("no memory for a frame");
  }
  if (sws_scale(sws_.get(), frame.data, frame.linesize, 0, frame.height, rgb_->data, rgb_->linesize) < 0)
    return bad_input("a frame can't be converted to RGB");
  const size_t row = picture_bytes(plan_.width, 1, plan_.channels, plan_.bits);
  for (int y = 0; y < plan_.height; ++y)
    std::memcpy(picture.data() + row * size_t(y), rgb_->data[0] + int64_t(rgb_->linesize[0]) * y, row);
  return {};
}

Result<Frame> ToFrame::convert(std::span<const uint8_t> picture) {
  const AVPixelFormat from = picture_format(plan_.channels, plan_.bits);
  if (!sws_) {
    auto made = converter(plan_.out_width, plan_.out_height, from, plan_.format, plan_.colours);
    if (!made) return made.error();
    sws_ = *std::move(made);
    rgb_ = aligned_frame(from, plan_.out_width, plan_.out_height);
    if (!rgb_) return resource_error("no memory for a frame");
  }
  const size_t row = picture_bytes(plan_.out_width, 1, plan_.channels, plan_.bits);
  for (int y = 0; y < plan_.out_height; ++y)
    std::memcpy(rgb_->data[0] + int64_t(rgb_->linesize[0]) * y, picture.data() + row * size_t(y), row);
  Frame frame = aligned_frame(plan_.format, plan_.out_width, plan_.out_height);
  if (!frame) return resource_error("no memory for a frame");
  if (sws_scale(sws_.get(), rgb_->data, rgb_->linesize, 0, plan_.out_height, frame->data, frame->linesize) <
      0)
    return internal_error("a frame can't be converted from RGB");
  frame->color_range = AVColorRange(plan_.range);
  frame->color_primaries = AVColorPrimaries(plan_.primaries);
  frame->color_trc = AVColorTransferCharacteristic(plan_.transfer);
  frame->colorspace = AVColorSpace(plan_.space);
  frame->chroma_location = AVChromaLocation(plan_.chroma);
  frame->sample_aspect_ratio = plan_.aspect;
  return frame;
}

}  // namespace fye::av
