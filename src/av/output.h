// The container that is written: its streams in the film's order, the picture's place taken by the new one.
#pragma once

#include <optional>
#include <vector>

#include "av/open_film.h"
#include "av/plan.h"

namespace fye::av {

class Output {
 public:
  // With all of the plan's streams, tags, chapters and attachments, and the header written to `io`. `made`:
  // the new picture's encoder. `only`: that copied stream alone, without the picture (for finding out which
  // one a container can't hold). Errors: the container can't hold a stream.
  static Result<Output> begin(const Film& film, const Plan& plan, const AVCodecContext& made, AVIOContext* io,
                              std::optional<int> only = std::nullopt);
  Output(Output&& other) noexcept;
  ~Output();

  AVFormatContext* format() const { return format_; }
  AVStream* video() const { return video_ < 0 ? nullptr : format_->streams[video_]; }
  // Of a stream of the film; null if it is not copied.
  AVStream* of(int stream) const;
  Status finish();

 private:
  explicit Output(AVFormatContext* format) : format_(format) {}
  Status add_video(const AVStream* from, const Plan& plan, const AVCodecContext& made);
  Status add_copy(const AVStream* from);
  AVFormatContext* format_ = nullptr;
  int video_ = -1;
  std::vector<int> place_;  // by stream of the film
};

}  // namespace fye::av
