// The upscaler for a picture's size: one for all, or chosen by a deadline from the book of plans.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/up_options.h"

namespace fye {

class Upscalers {
 public:
  // Both outlive it. `progress`: 0..1 of a picture's work, all eight runs of -x together; may be empty.
  Upscalers(const UpOptions& options, const UpSettings& settings, ThreadPool& threads,
            std::function<void(double)> progress);

  // Errors: no plan meets the deadline, or the network can't be run. Under a deadline, new sizes choose anew and are
  // run once for practice where that is soon done.
  Result<Upscaler*> for_size(int width, int height);

  // A new picture begins: progress counts from 0.
  void restart();

  // Sentences about the book that for_size() used; each once.
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  Result<UpscaleOptions> options_for(int width, int height);
  void advance(double fraction);

  const UpOptions& options_;
  const UpSettings& settings_;
  ThreadPool& threads_;
  std::function<void(double)> progress_;
  int runs_ = 0;         // of -x that are behind us
  double last_ = 0;      // fraction of the run in hand
  std::optional<Upscaler> upscaler_;
  int width_ = 0, height_ = 0;
  std::vector<std::string> notices_;
};

}  // namespace fye
