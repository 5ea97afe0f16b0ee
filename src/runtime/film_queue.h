// The two fye-av processes around the enlarging of a film: decoded frames come out of one, enlarged ones go
// into the other, and its segments into the work folder.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/film.h"
#include "runtime/film_work.h"
#include "video/helper.h"
#include "video/shared_frames.h"

namespace fye {

struct DecodedFrame {
  int slot = 0;
  int64_t pts = 0, duration = 0;  // in units of the film's time base
  int64_t side_bytes = 0;         // behind the pixels
};

// Not thread-safe. Every call may return interrupted: stop() said so.
class FilmQueue {
 public:
  struct Start {
    std::string name;
    Json plan;
    int input = -1;
    int64_t skip = 0;  // frames that are finished
    bool damaged = false;
    std::function<bool()> stop;
  };
  // The frames and the work folder outlive it.
  static Result<FilmQueue> start(const Start& start, const SharedFrames& decoded,
                                 const SharedFrames& enlarged, FilmWork& work);

  // In the order of presentation; nothing after the last.
  Result<std::optional<DecodedFrame>> next_frame();
  // Of the enlarged frames.
  Result<int> free_slot();
  // `frame` is enlarged in `slot` and goes to the encoder; frame's own slot is free. Begins a segment if none
  // is open.
  Status hand_on(const DecodedFrame& frame, int slot);
  Status end_segment();
  // Until the last segment is on the disk.
  Status finish();

  // After a stop: segments that were handed over whole are waited for, a few seconds at most; the open one is
  // dropped.
  void keep_what_is_whole();

  void tell(FilmReport& report) const;
  const Helper& decoder() const { return decoder_; }
  const Helper& encoder() const { return encoder_; }

 private:
  FilmQueue(Helper decoder, Helper encoder, const Start& start, const SharedFrames& decoded,
            const SharedFrames& enlarged, FilmWork& work);
  Status pump();
  Status from_decoder(const Message& message);
  Status from_encoder(const Message& message);

  Helper decoder_, encoder_;
  std::string name_;
  std::function<bool()> stop_;
  const SharedFrames* decoded_;
  const SharedFrames* enlarged_;
  FilmWork* work_;
  std::deque<DecodedFrame> ready_;
  std::deque<int> free_;
  std::optional<Json> decoded_all_, last_segment_;
  std::map<int64_t, int64_t> in_flight_;  // segment: frames
  int64_t number_ = 0, frames_ = 0;       // of the open segment; 0 frames: none is open
  double waited_in_ms_ = 0, waited_out_ms_ = 0;
};

}  // namespace fye
