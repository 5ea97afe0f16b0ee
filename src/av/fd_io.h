// FFmpeg's input and output on file descriptors that fye opened: fye-av opens no file itself.
#pragma once

#include <memory>

#include "av/ffmpeg.h"

namespace fye::av {

// Reads or writes at its own position; the descriptor must allow seeking.
class FdIo {
 public:
  // Errors: no memory.
  static Result<FdIo> reading(int fd);
  static Result<FdIo> writing(int fd);
  FdIo(FdIo&&) noexcept;
  ~FdIo();

  AVIOContext* context() const { return context_; }
  // What went wrong first in reading or writing, as AVERROR; 0 if nothing did.
  int problem() const;

 private:
  struct State;
  FdIo(std::unique_ptr<State> state, AVIOContext* context);
  std::unique_ptr<State> state_;
  AVIOContext* context_;
};

}  // namespace fye::av
