// Frames of a film to pictures in RGB and back, by swscale with one matrix, range and chroma position.
#pragma once

#include <cstdint>
#include <span>

#include "av/plan.h"

namespace fye::av {

// By the frame's tags. What an untagged one means: the matrix by its height, BT.601 below 720 lines and
// BT.709 from there, as players do; studio range but for the full-range formats of old (yuvj420p and so on).
Colours colours_of(const AVFrame& frame, int height);

// The tag of a matrix, for a film whose new height would make players assume another one.
int tag_of(int matrix, int height);

// Full-range formats of old to those that say their range by a tag.
AVPixelFormat plain_format(AVPixelFormat format);

// Frame to picture. The frames may change their format; their size may not.
class ToPicture {
 public:
  explicit ToPicture(const Plan& plan) : plan_(plan) {}
  // `picture`: picture_bytes() of the plan's input. Errors: another size, a format that swscale can't read.
  Status convert(const AVFrame& frame, std::span<uint8_t> picture);

 private:
  Plan plan_;
  AVPixelFormat format_ = AV_PIX_FMT_NONE;
  Sws sws_;
  Frame rgb_;
};

// Picture to frame.
class ToFrame {
 public:
  explicit ToFrame(const Plan& plan) : plan_(plan) {}
  // A new frame in the plan's format and size, tagged. Errors: a format that swscale can't write, no memory.
  Result<Frame> convert(std::span<const uint8_t> picture);

 private:
  Plan plan_;
  Sws sws_;
  Frame rgb_;
};

}  // namespace fye::av
