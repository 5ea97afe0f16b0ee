#include "runtime/film_enlarge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/clock.h"
#include "runtime/machine.h"

namespace fye {
namespace {

// Copying a frame in and its enlarged one out is part of what a deadline is for; timed so often.
constexpr int kCopies = 3;

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, size_t(std::ceil(share * double(values.size()))) - 1)];
}

double copy_ms(size_t bytes) {
  std::vector<uint8_t> from(bytes, 1), to(bytes);
  std::vector<double> times;
  for (int i = 0; i < kCopies; ++i) {
    const Stopwatch watch;
    std::memcpy(to.data(), from.data(), bytes);
    times.push_back(watch.ms());
  }
  return median(times);
}

}  // namespace

Result<FrameEnlarger> FrameEnlarger::create(const FilmRequest& request, int width, int height, int channels,
                                            int bits, ThreadPool& threads) {
  FrameEnlarger e;
  const Model& model = *request.model;
  e.scale_ = request.upscale.scale > 0 ? request.upscale.scale : model.conventions.scale;
  e.frame_ = Picture(width, height, channels, bits);
  e.deadline_ms_ = request.deadline_ms;
  e.say_ = request.say;
  if (!request.deadline_ms) {
    auto upscaler = Upscaler::create(model, request.upscale, threads);
    if (!upscaler) return upscaler.error();
    e.upscaler_.emplace(*std::move(upscaler));
    return e;
  }
  const auto found = book_for(request.book, request.model_file, model.name, model.graph.sha256, width, height,
                              this_machine(threads.size()), request.strict);
  if (!found) return found.error();
  for (const std::string& notice : found->notices)
    if (e.say_ && e.said_.insert(notice).second) e.say_(notice);
  const double around = copy_ms(e.frame_.bytes.size() * (1 + size_t(e.scale_) * size_t(e.scale_)));
  BookSessionOptions how{.deadline_ms = std::max(*request.deadline_ms - around, *request.deadline_ms / 2),
                         .scale = found->scale,
                         .upscale = request.upscale};
  auto session = BookSession::create(model, found->book, how, threads);
  if (!session) return session.error();
  e.session_.emplace(*std::move(session));
  if (auto status = e.warm_up(); !status) return status.error();
  return e;
}

// A picture with some content: the guard looks at flat ones differently.
Status FrameEnlarger::warm_up() {
  for (size_t i = 0; i < frame_.bytes.size(); ++i) frame_.bytes[i] = uint8_t(i * 7);
  return session_->warm_up(frame_);
}

Status FrameEnlarger::run(std::span<const uint8_t> in, std::span<uint8_t> out) {
  const Stopwatch watch;
  std::memcpy(frame_.bytes.data(), in.data(), frame_.bytes.size());
  auto result = upscaler_ ? upscaler_->run(frame_) : session_->run(frame_);
  if (!result) return result.error();
  if (result->picture.bytes.size() != out.size())
    return internal_error("an enlarged frame has another size than was agreed");
  std::memcpy(out.data(), result->picture.bytes.data(), out.size());
  times_.push_back(watch.ms());
  if (deadline_ms_ && times_.back() > *deadline_ms_) ++late_;
  last_ = std::move(result->report);
  for (const std::string& notice : last_.notices)
    if (say_ && said_.insert(notice).second) say_(notice);
  return {};
}

void FrameEnlarger::tell(FilmReport& report) const {
  report.upscale_ms = std::accumulate(times_.begin(), times_.end(), 0.);
  report.p50_ms = percentile(times_, 0.5);
  report.p95_ms = percentile(times_, 0.95);
  report.p99_ms = percentile(times_, 0.99);
  report.late = late_;
  report.changes = session_ ? session_->keeper().changes() : 0;
  report.upscale = last_;
}

}  // namespace fye
