// Plan: everything that decoding, encoding and muxing one film have to agree on, worked out once by the
// probe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "av/ffmpeg.h"
#include "base/json.h"

namespace fye::av {

// How YUV becomes RGB and back: one matrix and range for both ways, so that what the network leaves alone
// stays.
struct Colours {
  int matrix = SWS_CS_ITU601;  // SWS_CS_*
  bool full = false;           // full range (0..255), else studio range
  int chroma = AVCHROMA_LOC_UNSPECIFIED;
};

struct Plan {
  int video = 0;  // stream index
  int width = 0, height = 0, out_width = 0, out_height = 0;
  int bits = 8;      // of the pictures in between: 8 or 16 a sample
  int channels = 3;  // 3, or 4 with transparency
  AVRational time_base = {1, 1}, frame_rate = {0, 1}, aspect = {0, 1};  // aspect: of a pixel
  AVPixelFormat format = AV_PIX_FMT_NONE;                               // that is encoded
  Colours colours;
  // Tags as the film has them (AVColor*), but for what the notices say.
  int range = 0, primaries = 2, transfer = 2, space = 2, chroma = 0;
  std::string encoder, container;  // FFmpeg's names
  std::map<std::string, std::string> encoder_options;
  int threads = 1;
  std::vector<int> copied;  // stream indices, ascending
};

Json to_json(const Plan& plan);
// From fye, which has it from here.
Result<Plan> plan_from(const Json& json);

// Bytes of one picture in shared memory: packed samples, rows without padding.
inline size_t picture_bytes(int width, int height, int channels, int bits) {
  return size_t(width) * size_t(height) * size_t(channels) * size_t(bits / 8);
}

}  // namespace fye::av
