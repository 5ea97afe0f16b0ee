// Enlarging a film's frames: one network, or plans of a book under a deadline; memory to memory.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/book_session.h"
#include "runtime/film.h"
#include "runtime/measurements.h"

namespace fye {

// The model and request outlive it. Not thread-safe.
class FrameEnlarger {
 public:
  // For frames of width x height with 3 or 4 samples of `bits` a pixel. Errors: as Upscaler::create; no book
  // for the deadline, or no plan in it that is fast enough.
  static Result<FrameEnlarger> create(const FilmRequest& request, int width, int height, int channels,
                                      int bits, ThreadPool& threads);

  // Packed samples in, packed samples of the enlarged frame out. Errors: as Upscaler::run.
  Status run(std::span<const uint8_t> in, std::span<uint8_t> out);

  int scale() const { return scale_; }
  // Into the report: times, late frames, notices not said yet.
  void tell(FilmReport& report) const;

 private:
  FrameEnlarger() = default;
  Status warm_up();
  std::optional<Upscaler> upscaler_;
  std::optional<BookSession> session_;
  std::optional<double> deadline_ms_;
  std::function<void(const std::string&)> say_;
  std::set<std::string> said_;
  Picture frame_;
  int scale_ = 1;
  std::vector<double> times_;
  int64_t late_ = 0;
  UpscaleReport last_;
};

}  // namespace fye
