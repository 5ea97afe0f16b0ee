// Opening a film: its container's streams, and which of them is the picture.
#pragma once

#include <optional>

#include "av/fd_io.h"
#include "av/ffmpeg.h"

namespace fye::av {

class Film {
 public:
  // Opens what the descriptor holds and looks at its first packets. Other files that a playlist may name are
  // never opened. Errors (bad_input): nothing that FFmpeg can read; no video stream.
  static Result<Film> open(int fd);
  Film(Film&& other) noexcept;
  ~Film();

  AVFormatContext* format() const { return format_; }
  AVStream* video() const { return format_->streams[video_]; }
  int video_index() const { return video_; }

  // A decoder for the picture, opened. Errors: there is none for its codec.
  Result<Codec> decoder(int threads) const;

  // Seconds, "1.25", of a time in the picture's time base.
  std::string seconds(int64_t pts) const;

  // A sentence if the file is shorter than what its own index or header says; nothing read but the head.
  std::optional<std::string> cut_off(int fd) const;

 private:
  Film(FdIo io, AVFormatContext* format) : io_(std::move(io)), format_(format) {}
  FdIo io_;
  AVFormatContext* format_ = nullptr;
  int video_ = -1;
};

}  // namespace fye::av
