// The search for the grid of least error. For a grid with levels l_0 < ... < l_255 the squared error over the
// sample v is the sum over the levels of sum (v - l_i)^2, v in the cell of l_i. On the sorted sample with
// prefix sums of v and v^2 each cell costs one binary search, so a candidate costs 256 of them, whatever the
// size of the sample, and the error is exact: a spike (the zeros of a ReLU, an untouched input) counts as
// what it is. The search moves the two ends in turn; the tests hold it within 2 % of an exhaustive one.
#include "quant/ranges.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace fye {
namespace {

constexpr int kLevels = 256;
// Below this a scale makes multipliers that overflow (spec/quantization.md, section 3).
constexpr double kLeastScale = 1e-8;

// splitmix64's finaliser (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A sorted sample with prefix sums: error of any grid.
class ErrorOfGrids {
 public:
  explicit ErrorOfGrids(std::vector<float> sorted) : v_(std::move(sorted)) {
    sum_.resize(v_.size() + 1);
    square_.resize(v_.size() + 1);
    for (size_t i = 0; i < v_.size(); ++i) {
      sum_[i + 1] = sum_[i] + v_[i];
      square_[i + 1] = square_[i] + double(v_[i]) * v_[i];
    }
  }

  double of(const Quant& quant) const {
    double error = 0;
    size_t begin = 0;
    for (int q = 0; q < kLevels && begin < v_.size(); ++q) {
      const double level = double(quant.scale) * (q - quant.zero);
      const size_t end = q + 1 == kLevels ? v_.size() : index(level + double(quant.scale) / 2, begin);
      error += about(level, begin, end);
      begin = end;
    }
    return error;
  }

 private:
  // The first place from `begin` whose value is not below x.
  size_t index(double x, size_t begin = 0) const {
    return size_t(std::lower_bound(v_.begin() + ptrdiff_t(begin), v_.end(), x) - v_.begin());
  }
  // Sum of (v - centre)^2 over [begin, end).
  double about(double centre, size_t begin, size_t end) const {
    if (begin == end) return 0;
    const double n = double(end - begin), sum = sum_[end] - sum_[begin],
                 square = square_[end] - square_[begin];
    return std::max(0.0, square - 2 * centre * sum + n * centre * centre);
  }

  std::vector<float> v_;
  std::vector<double> sum_, square_;
};

// The best grid found so far.
class Best {
 public:
  explicit Best(const ErrorOfGrids& errors) : errors_(errors) {}

  // True if the grid over [new_lo, new_hi] is better than all before.
  bool offer(float new_lo, float new_hi) {
    const Quant candidate = quant_for_range(new_lo, new_hi);
    const double error = errors_.of(candidate);
    if (!(error < error_)) return false;
    quant = candidate, lo = new_lo, hi = new_hi, error_ = error;
    return true;
  }

  Quant quant{};
  float lo = 0, hi = 0;

 private:
  const ErrorOfGrids& errors_;
  double error_ = std::numeric_limits<double>::infinity();
};

}  // namespace

RangeObserver::RangeObserver(size_t capacity) : capacity_(std::max<size_t>(capacity, 2) / 2 * 2) {}

void RangeObserver::start_block() {
  pick_ = mix(blocks_ * 64 + size_t(std::bit_width(stride_))) & (stride_ - 1);
  position_ = 0;
  ++blocks_;
}

void RangeObserver::thin() {
  for (size_t i = 0; i < capacity_ / 2; ++i) sample_[i] = sample_[2 * i + (mix(i ^ (stride_ << 32)) & 1)];
  sample_.resize(capacity_ / 2);
  stride_ *= 2;
}

void RangeObserver::add(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      nan_ = true;
      continue;
    }
    min_ = any_ ? std::min(min_, value) : value;
    max_ = any_ ? std::max(max_, value) : value;
    any_ = true;
    if (blocks_ == 0 || position_ == stride_) {
      if (sample_.size() == capacity_) thin();
      start_block();
    }
    if (position_++ == pick_) sample_.push_back(value);
  }
}

float RangeObserver::min() const { return any_ ? min_ : 0; }
float RangeObserver::max() const { return any_ ? max_ : 0; }
bool RangeObserver::saw_nan() const { return nan_; }
std::span<const float> RangeObserver::sample() const { return sample_; }

Quant quant_for_range(float lo, float hi) {
  if (!std::isfinite(lo) || !std::isfinite(hi)) return {1, 0};
  const double low = std::min(lo, 0.0f), high = std::max(hi, 0.0f);
  if (!(high > low)) return {1, 0};
  const double range = std::max(high - low, kLeastScale * (kLevels - 1));
  // From the range, not the rounded scale: -1..1 is 127.5 exactly, and goes to 128.
  const double zero = std::nearbyint(-low * (kLevels - 1) / range);
  return {float(range / (kLevels - 1)), int(std::clamp(zero, 0.0, double(kLevels - 1)))};
}

Quant quant_for_least_error(const RangeObserver& observer) {
  std::vector<float> sorted(observer.sample().begin(), observer.sample().end());
  std::sort(sorted.begin(), sorted.end());
  // So few values say nothing about tails.
  if (sorted.size() <= 4) return quant_for_range(observer.min(), observer.max());
  const ErrorOfGrids errors(std::vector<float>(sorted.begin() + 1, sorted.end() - 1));
  const float lo = std::min(sorted[1], 0.0f), hi = std::max(sorted[sorted.size() - 2], 0.0f);

  Best best(errors);
  best.offer(observer.min(), observer.max());
  if (!(hi > lo)) return best.quant;  // only the two extremes differ from 0: keep them representable
  best.offer(lo, hi);

  // Each end in turn, in halving steps from 1/4 to 1/1024 of the range, as long as it gets better; 16 moves
  // of the first step would leave a hundredth of the range, the others only refine.
  for (float step = 1.0f / 4; step >= 1.0f / 1024; step /= 2) {
    bool better = true;
    for (int move = 0; better && move < 16; ++move) {
      better = false;
      const float by = step * (best.hi - best.lo);
      if (best.lo < 0) {
        better |= best.offer(std::min(best.lo + by, 0.0f), best.hi);
        better |= best.offer(std::max(best.lo - by, lo), best.hi);
      }
      if (best.hi > 0) {
        better |= best.offer(best.lo, std::max(best.hi - by, 0.0f));
        better |= best.offer(best.lo, std::min(best.hi + by, hi));
      }
    }
  }
  return best.quant;
}

SymmetricWeights quantise_weights(std::span<const float> weight, int channels, bool per_channel) {
  const size_t rest = channels > 0 ? weight.size() / size_t(channels) : 0;
  const auto scale_of = [](std::span<const float> values) {
    float largest = 0;
    for (const float w : values) largest = std::max(largest, std::fabs(w));
    const float scale = largest / 127;
    return scale >= std::numeric_limits<float>::min() ? scale : 1.0f;
  };
  SymmetricWeights result;
  result.scale.assign(size_t(std::max(channels, 0)), scale_of(weight));
  result.values.reserve(weight.size());
  for (size_t c = 0; c < result.scale.size(); ++c) {
    const auto channel = weight.subspan(c * rest, rest);
    if (per_channel) result.scale[c] = scale_of(channel);
    for (const float w : channel)
      result.values.push_back(int8_t(std::clamp(std::nearbyint(w / result.scale[c]), -127.0f, 127.0f)));
  }
  return result;
}

}  // namespace fye
