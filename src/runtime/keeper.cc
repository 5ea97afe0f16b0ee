// A machine's load multiplies all times by about the same factor, so one number is learned: measured over
// predicted. Late pictures in a row, or several within a few, mean that a load has come (one alone is chance:
// reacting to it would cost quality for nothing); the keeper then goes down as far as the new factor asks
// for, at once. Where single late pictures add up, or most of the deadline is used, it goes down by one. It
// goes up only after a stretch of pictures that would all but have been in time there, and waits twice as
// long after every step up that did not hold, so that a load that comes and goes costs few changes. Single
// pictures that the system held up are late by what they were held up, not by a factor, so they count as such
// where another rung is judged by them. Tested by runtime/keeper_test.cc on simulated loads, measured by
// bench/deadline.
#include "runtime/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/clock.h"

namespace fye {
namespace {

Status check(const std::vector<double>& predicted, double deadline) {
  if (predicted.empty()) return bad_input("there are no plans to choose from");
  for (size_t i = 0; i < predicted.size(); ++i)
    if (!(predicted[i] > 0) || !std::isfinite(predicted[i]) || (i > 0 && predicted[i] < predicted[i - 1]))
      return bad_input(fmt::format("plan {} of {} takes {} ms: times must be above 0 and ascending", i + 1,
                                   predicted.size(), predicted[i]));
  if (!(deadline > 0))
    return usage_error(fmt::format("{} ms is no deadline", deadline), "give a time above 0");
  return {};
}

}  // namespace

Result<DeadlineKeeper> DeadlineKeeper::create(std::vector<double> predicted_ms, double deadline_ms,
                                              const KeeperOptions& options) {
  if (auto status = check(predicted_ms, deadline_ms); !status) return status.error();
  return DeadlineKeeper(std::move(predicted_ms), deadline_ms, options);
}

DeadlineKeeper::DeadlineKeeper(std::vector<double> predicted_ms, double deadline_ms,
                               const KeeperOptions& options)
    : predicted_(std::move(predicted_ms)),
      deadline_(deadline_ms),
      options_(options),
      patience_(options.patience) {
  rung_ = highest_safe(1, options_.first_headroom);
}

// Measured over predicted, of the newest `last` pictures.
std::vector<double> DeadlineKeeper::ratios(int last) const {
  std::vector<double> newest;
  for (size_t i = past_.size() - std::min(past_.size(), size_t(last)); i < past_.size(); ++i)
    newest.push_back(past_[i].ms / ms_of(past_[i].rung));
  return newest;
}

double DeadlineKeeper::load() const { return past_.empty() ? 1 : median(ratios(options_.window)); }

double DeadlineKeeper::slow_ratio(int last) const {
  std::vector<double> newest = ratios(last);
  const size_t at = std::min(newest.size() - 1, size_t(options_.quantile * double(newest.size())));
  std::nth_element(newest.begin(), newest.begin() + ptrdiff_t(at), newest.end());
  return newest[at];
}

int DeadlineKeeper::highest_safe(double ratio, double headroom) const {
  int rung = 0;
  for (size_t i = 0; i < predicted_.size(); ++i)
    if (predicted_[i] * ratio <= headroom * deadline_) rung = int(i);
  return rung;
}

int DeadlineKeeper::late_among(int last) const {
  const int count = std::min({last, since_change_, int(past_.size())});
  return int(std::count_if(past_.end() - count, past_.end(),
                           [&](const Past& past) { return past.ms > deadline_; }));
}

// Measured over predicted of the late ones among the newest `last` pictures, the least: neither the calm ones
// before a load count, nor what one picture was held up besides.
double DeadlineKeeper::load_of_late(int last) const {
  double least = std::numeric_limits<double>::infinity();
  const int count = std::min({last, since_change_, int(past_.size())});
  for (auto past = past_.end() - count; past != past_.end(); ++past)
    if (past->ms > deadline_) least = std::min(least, past->ms / ms_of(past->rung));
  return least;
}

// Of the newest `last` pictures, had they run by `rung`.
double DeadlineKeeper::late_share_on(int rung, int last) const {
  const double now = load();
  const int count = std::min(last, int(past_.size()));
  const auto late = std::count_if(past_.end() - count, past_.end(), [&](const Past& past) {
    return past.ms + now * (ms_of(rung) - ms_of(past.rung)) > deadline_;
  });
  return double(late) / std::max(1, count);
}

// The rung to go up to, or the present one.
int DeadlineKeeper::way_up() const {
  if (in_time_ < patience_ || int(past_.size()) < options_.window) return rung_;
  int safe = highest_safe(slow_ratio(options_.window), options_.headroom);
  while (safe > rung_ && late_share_on(safe, patience_) > options_.tail) --safe;
  return std::max(safe, rung_);
}

void DeadlineKeeper::go(int rung) {
  stepped_up_ = rung > rung_;
  rung_ = rung;
  ++changes_;
  in_time_ = since_change_ = 0;
}

void DeadlineKeeper::go_down(int rung) {
  if (stepped_up_) patience_ = std::min(options_.most_patience, 2 * patience_);
  go(rung);
}

void DeadlineKeeper::took(double ms) {
  past_.push_back({ms, rung_});
  if (past_.size() > size_t(options_.budget_window)) past_.pop_front();
  const bool late = ms > deadline_;
  in_time_ = late ? 0 : in_time_ + 1;
  ++since_change_;
  if (stepped_up_ && since_change_ > 2 * patience_) {
    stepped_up_ = false;
    patience_ = std::max(options_.patience, patience_ / 2);
  }

  if (rung_ > 0 && late) {
    constexpr int kInARow = 2;
    if (late_among(kInARow) >= kInARow || late_among(options_.late_window) >= options_.most_late) {
      const int safe = highest_safe(load_of_late(options_.late_window), options_.load_headroom);
      return go_down(std::min(rung_ - 1, safe));
    }
    if (late_among(options_.budget_window) > options_.budget) return go_down(rung_ - 1);
  }
  if (rung_ > 0 && since_change_ >= options_.window &&
      slow_ratio(options_.window) * ms_of(rung_) > options_.brink * deadline_)
    return go_down(rung_ - 1);
  if (const int up = way_up(); up > rung_) go(up);
}

Status DeadlineKeeper::replan(std::vector<double> predicted_ms) {
  if (auto status = check(predicted_ms, deadline_); !status) return status;
  if (predicted_ms.size() != predicted_.size())
    return internal_error(fmt::format("{} new times for {} plans", predicted_ms.size(), predicted_.size()));
  const bool begun = !past_.empty();
  predicted_ = std::move(predicted_ms);
  past_.clear();
  in_time_ = since_change_ = 0;
  const int safe = highest_safe(1, options_.first_headroom);
  if (begun && safe != rung_) ++changes_;
  rung_ = safe;
  stepped_up_ = false;
  return {};
}

}  // namespace fye
