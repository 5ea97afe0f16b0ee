// FFmpeg's libraries with owners for what they allocate, and their errors as sentences.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "base/result.h"

namespace fye::av {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* p) const {
    release(&p);
  }
};
struct FreeSws {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
using Packet = std::unique_ptr<AVPacket, Release<av_packet_free>>;
using Frame = std::unique_ptr<AVFrame, Release<av_frame_free>>;
using Codec = std::unique_ptr<AVCodecContext, Release<avcodec_free_context>>;
using Sws = std::unique_ptr<SwsContext, FreeSws>;

// Errors of the last calls are kept for error(), not printed.
void keep_log();

// `what`, and why: what FFmpeg logged, or else what `code` (AVERROR) means; no room, no memory: resources;
// else bad_input.
Error error(int code, const std::string& what, const std::string& hint = {});

}  // namespace fye::av
