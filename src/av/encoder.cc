#include "av/encoder.h"

#include <fmt/format.h>

#include <algorithm>

namespace fye::av {
namespace {

// What "auto" tries in this order, and where its quality is set. crf: about as good as the source to the eye
// by its makers' guides, at sizes that people keep; a lower one is better and larger.
struct Known {
  const char* name;
  const char* quality;  // option of its constant quality
  int crf;
  const char* speed;  // option of its preset
  const char* preset;
  std::vector<std::pair<const char*, const char*>> always;
};
const Known kKnown[] = {
    {"libx264", "crf", 18, "preset", "medium", {}},
    // One thread pool and one count of frames in flight whatever the machine does at the moment: the same
    // bits.
    {"libx265", "crf", 20, "preset", "medium", {{"x265-params", "log-level=error:frame-threads=2"}}},
    {"libsvtav1", "crf", 28, "preset", "8", {}},
    {"libaom-av1", "crf", 26, "cpu-used", "6", {{"row-mt", "1"}}},
    {"libvpx-vp9", "crf", 24, "cpu-used", "3", {{"b", "0"}, {"row-mt", "1"}, {"deadline", "good"}}},
    {"libvpx", "crf", 8, "cpu-used", "3", {{"b", "8M"}, {"deadline", "good"}}},
    {"ffv1", nullptr, 0, nullptr, nullptr, {{"level", "3"}, {"slicecrc", "1"}}},
    {"libtheora", nullptr, 0, nullptr, nullptr, {{"flags", "+qscale"}, {"global_quality", "1180"}}},  // q 10
    {"mpeg4", nullptr, 0, nullptr, nullptr, {{"flags", "+qscale"}, {"global_quality", "354"}}},       // q 3
    {"mpeg2video", nullptr, 0, nullptr, nullptr, {{"flags", "+qscale"}, {"global_quality", "354"}}},
};

const Known* known(const std::string& name) {
  const auto found =
      std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return name == k.name; });
  return found == std::end(kKnown) ? nullptr : found;
}

// The codec's own name stands for its usual encoder.
std::string full_name(const std::string& name) {
  constexpr std::pair<const char*, const char*> kShort[] = {
      {"h264", "libx264"}, {"x264", "libx264"},  {"hevc", "libx265"},   {"h265", "libx265"},
      {"x265", "libx265"}, {"av1", "libsvtav1"}, {"vp9", "libvpx-vp9"}, {"vp8", "libvpx"}};
  for (const auto& [given, full] : kShort)
    if (name == given) return full;
  return name;
}

bool holds(const AVOutputFormat* container, const AVCodec* codec) {
  return avformat_query_codec(container, codec->id, FF_COMPLIANCE_NORMAL) == 1;
}

std::string those_that_exist(const AVOutputFormat* container) {
  std::string names;
  for (const Known& k : kKnown) {
    const AVCodec* codec = avcodec_find_encoder_by_name(k.name);
    if (codec && holds(container, codec)) names += (names.empty() ? "" : ", ") + std::string(k.name);
  }
  return names.empty() ? "none of those that fye knows" : names;
}

int depth_of(AVPixelFormat format) { return av_pix_fmt_desc_get(format)->comp[0].depth; }

// The encoder's format that keeps most of `source`'s; odd sizes need chroma at every pixel.
AVPixelFormat best_format(const AVCodec* codec, AVPixelFormat source, const Plan& plan, int& loss) {
  std::vector<AVPixelFormat> usable;
  for (const AVPixelFormat* f = codec->pix_fmts; f && *f != AV_PIX_FMT_NONE; ++f) {
    const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(*f);
    const bool fits =
        !(plan.out_width % (1 << d->log2_chroma_w)) && !(plan.out_height % (1 << d->log2_chroma_h));
    if (plain_format(*f) == *f && fits && !(d->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL)) &&
        sws_isSupportedOutput(*f))
      usable.push_back(*f);
  }
  loss = 0;
  if (!codec->pix_fmts) return source;  // takes any
  if (usable.empty()) return AV_PIX_FMT_NONE;
  usable.push_back(AV_PIX_FMT_NONE);
  return avcodec_find_best_pix_fmt_of_list(usable.data(), source, plan.channels == 4, &loss);
}

std::vector<std::string> candidates(const EncoderWish& wish, const Plan& plan, AVPixelFormat source) {
  if (wish.name != "auto") return {full_name(wish.name)};
  std::vector<std::string> names = {"libx264", "libx265", "libvpx-vp9", "libtheora", "mpeg2video", "mpeg4"};
  if (depth_of(source) > 8 && plan.container != "avi") std::swap(names[0], names[1]);
  return names;
}

Status set_options(const EncoderWish& wish, Plan& plan) {
  const Known* k = known(plan.encoder);
  auto& options = plan.encoder_options;
  options.clear();
  if (k)
    for (const auto& [key, value] : k->always) options[key] = value;
  if (wish.crf && !(k && k->quality))
    return usage_error(fmt::format("{} has no --crf", plan.encoder),
                       "give its own options by --encoder-option KEY=VALUE");
  if (!wish.preset.empty() && !(k && k->speed))
    return usage_error(fmt::format("{} has no --preset", plan.encoder),
                       "give its own options by --encoder-option KEY=VALUE");
  if (k && k->quality) options[k->quality] = std::to_string(wish.crf.value_or(k->crf));
  if (k && k->speed) options[k->speed] = wish.preset.empty() ? k->preset : wish.preset;
  for (const auto& [key, value] : wish.options) {
    // Parameters in one string are added to ours; the later of two counts.
    const bool joined = key == "x265-params" && options.contains(key);
    options[key] = joined ? options[key] + ":" + value : value;
  }
  return {};
}

}  // namespace

Status choose_encoder(const EncoderWish& wish, AVPixelFormat source, Plan& plan,
                      std::vector<std::string>& notices) {
  const AVOutputFormat* container = av_guess_format(plan.container.c_str(), nullptr, nullptr);
  const AVCodec* chosen = nullptr;
  int loss = 0;
  for (const std::string& name : candidates(wish, plan, source)) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
    if (!codec || codec->type != AVMEDIA_TYPE_VIDEO) {
      if (wish.name == "auto") continue;
      return usage_error(fmt::format("this FFmpeg has no video encoder {}", name),
                         "there are: " + those_that_exist(container));
    }
    if (!holds(container, codec)) {
      if (wish.name == "auto") continue;
      return usage_error(
          fmt::format("{} can't hold what {} makes", plan.container, name),
          fmt::format("it can hold: {}; .mkv holds nearly anything", those_that_exist(container)));
    }
    const AVPixelFormat format = best_format(codec, source, plan, loss);
    if (format == AV_PIX_FMT_NONE) {
      if (wish.name == "auto") continue;
      return usage_error(fmt::format("{} can't do {}x{}: an odd size", name, plan.out_width, plan.out_height),
                         "another --encoder, or an even --scale");
    }
    chosen = codec;
    plan.encoder = name;
    plan.format = format;
    break;
  }
  if (!chosen)
    return bad_input(fmt::format("this FFmpeg has no encoder for {}", plan.container),
                     "write to another container: .mkv");
  const int before = depth_of(source), after = depth_of(plan.format);
  if (after < before)
    notices.push_back(
        fmt::format("{} has {} bits a sample at most, the film {}", plan.encoder, after, before));
  if (loss & FF_LOSS_RESOLUTION)
    notices.push_back(fmt::format("colour is stored more coarsely: {}", av_get_pix_fmt_name(plan.format)));
  if (loss & FF_LOSS_COLORSPACE)
    notices.push_back(fmt::format("RGB becomes {}", av_get_pix_fmt_name(plan.format)));
  return set_options(wish, plan);
}

Result<Codec> open_encoder(const Plan& plan) {
  const AVCodec* codec = avcodec_find_encoder_by_name(plan.encoder.c_str());
  if (!codec) return usage_error(fmt::format("this FFmpeg has no encoder {}", plan.encoder));
  Codec context(avcodec_alloc_context3(codec));
  if (!context) return resource_error("no memory for an encoder");
  context->width = plan.out_width;
  context->height = plan.out_height;
  context->pix_fmt = plan.format;
  context->time_base = plan.time_base;
  context->framerate = plan.frame_rate;
  context->sample_aspect_ratio = plan.aspect;
  context->color_range = AVColorRange(plan.range);
  context->color_primaries = AVColorPrimaries(plan.primaries);
  context->color_trc = AVColorTransferCharacteristic(plan.transfer);
  context->colorspace = AVColorSpace(plan.space);
  context->chroma_sample_location = AVChromaLocation(plan.chroma);
  context->thread_count = plan.threads;
  const AVOutputFormat* container = av_guess_format(plan.container.c_str(), nullptr, nullptr);
  if (container && (container->flags & AVFMT_GLOBALHEADER)) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AVDictionary* options = nullptr;
  for (const auto& [key, value] : plan.encoder_options) av_dict_set(&options, key.c_str(), value.c_str(), 0);
  const int code = avcodec_open2(context.get(), codec, &options);
  const AVDictionaryEntry* unknown = av_dict_get(options, "", nullptr, AV_DICT_IGNORE_SUFFIX);
  const std::string left = unknown ? unknown->key : "";
  av_dict_free(&options);
  if (code < 0)
    return error(code,
                 fmt::format("{} can't encode {}x{} as {}", plan.encoder, plan.out_width, plan.out_height,
                             av_get_pix_fmt_name(plan.format)),
                 "another --encoder, --scale or container");
  if (!left.empty()) return usage_error(fmt::format("{} has no option \"{}\"", plan.encoder, left));
  return context;
}

}  // namespace fye::av
