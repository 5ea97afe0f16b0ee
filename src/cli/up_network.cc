#include "cli/up_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/interrupt.h"
#include "runtime/machine.h"
#include "runtime/measurements.h"

namespace fye {
namespace {

// Of the deadline, what the book's time may take: that is the network's alone and a median. What is around it
// (5 to 8 %, `fye run --trace`), a second run (10 %) and scatter come on top.
constexpr double kHeadroom = 0.8;
// A first run also pays for new memory and sleeping cores, 1.3 to 2.2 times what the book says (abpn_x3, 160x90 to
// 1280x720). Where that is soon done, the picture that counts is the second.
constexpr double kPracticeMs = 1000;

constexpr int kSymmetries = 8;

}  // namespace

Upscalers::Upscalers(const UpOptions& options, const UpSettings& settings, ThreadPool& threads,
                     std::function<void(double)> progress)
    : options_(options), settings_(settings), threads_(threads), progress_(std::move(progress)) {}

void Upscalers::restart() { runs_ = 0, last_ = 0; }

void Upscalers::advance(double fraction) {
  if (fraction < last_ && settings_.pictures.tta) runs_ = std::min(runs_ + 1, kSymmetries - 1);
  last_ = fraction;
  if (progress_) progress_(settings_.pictures.tta ? (runs_ + fraction) / kSymmetries : fraction);
}

Result<UpscaleOptions> Upscalers::options_for(int width, int height) {
  UpscaleOptions how = settings_.upscale;
  how.stop = interrupted;
  how.progress = [this](double fraction) { advance(fraction); };
  if (!settings_.deadline || how.plan) return how;
  const double deadline = *settings_.deadline;
  auto found = book_for(options_.book, settings_.model_file, settings_.model.name, settings_.model.graph.sha256, width,
                        height, this_machine(threads_.size()), options_.strict);
  if (!found) return found.error();
  for (BookEntry& entry : found->book.entries) {
    entry.ms *= found->scale;
    if (entry.measured_ms) *entry.measured_ms *= found->scale;
  }
  for (std::string& notice : found->notices)
    if (std::find(notices_.begin(), notices_.end(), notice) == notices_.end()) notices_.push_back(std::move(notice));
  const BookEntry* entry = entry_for(found->book, kHeadroom * deadline);
  if (!entry) entry = entry_for(found->book, deadline);
  if (!entry) {
    const double fastest = found->book.entries.front().best_ms();
    return Error{ErrorCode::deadline,
                 fmt::format("no plan for {}x{} meets {:.2f} ms: the fastest takes {:.2f} ms, {:.2f} more", width,
                             height, deadline, fastest, fastest - deadline),
                 fmt::format("--deadline {:.2f}ms can be met", std::ceil(fastest * 100) / 100)};
  }
  how.plan = plan_of(found->book, *entry);
  return how;
}

Result<Upscaler*> Upscalers::for_size(int width, int height) {
  restart();
  const bool by_size = settings_.deadline.has_value();
  if (upscaler_ && (!by_size || (width == width_ && height == height_))) return &*upscaler_;
  auto how = options_for(width, height);
  if (!how) return how.error();
  auto made = Upscaler::create(settings_.model, *how, threads_);
  if (!made) return made.error();
  upscaler_.emplace(*std::move(made));
  width_ = width, height_ = height;
  if (by_size && *settings_.deadline <= kPracticeMs)
    if (auto practice = upscaler_->run(Picture(width, height, 3)); !practice) return practice.error();
  restart();
  return &*upscaler_;
}

}  // namespace fye
