// Steps in the reference's order, its off-by-one included: what MATLAB's piqe and its port compute is what
// the world publishes. Rows of blocks are independent: each is filtered down and across one row at a time
// (the sums stay in cache), normalised, and judged. Tested by quality/piqe_test.cc and, against pypiqe, by
// tests/oracle/piqe_oracle.py.
#include "quality/piqe.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "image/colour.h"

namespace fye {
namespace {

constexpr int kBlock = 16;
constexpr int kSegment = 6;         // samples of a block's edge that are judged together
constexpr double kActive = 0.1;     // variance above which a block counts
constexpr double kImpaired = 0.1;   // deviation of a segment below which its block is impaired
constexpr double kStability = 1;    // C of the score
constexpr int kRadius = 3;          // of the 7 x 7 window
constexpr double kSigma = 7.0 / 6;  // the window ends at three deviations
constexpr int kCentre = 7;          // columns 7 and 8 are a block's centre

constexpr int64_t kWorthThreads = 1 << 20;  // pixels

using Window = std::array<double, kRadius + 1>;  // by distance from the middle

Window gaussian() {
  Window window;
  double sum = 0;
  for (int i = 0; i <= kRadius; ++i) {
    window[i] = std::exp(-i * i / (2 * kSigma * kSigma));
    sum += i == 0 ? window[i] : 2 * window[i];
  }
  for (double& weight : window) weight /= sum;
  return window;
}

// Mirrored with the edge repeated (abc|cba|abc), as often as it takes.
int mirrored(int at, int size) {
  const int inside = at % (2 * size);
  return inside < size ? inside : 2 * size - 1 - inside;
}

// Stretched to a maximum of 255, rounded, and filled up to whole blocks at the right and the bottom.
Plane prepared(const Plane& grey, double largest) {
  const auto whole = [](int side) { return (side + kBlock - 1) / kBlock * kBlock; };
  Plane result(whole(grey.width), whole(grey.height));
  for (int y = 0; y < result.height; ++y) {
    const double* from = &grey.values[size_t(mirrored(y, grey.height)) * grey.width];
    double* to = &result.values[size_t(y) * result.width];
    for (int x = 0; x < grey.width; ++x) to[x] = std::nearbyint(255 * (from[x] / largest));
    for (int x = grey.width; x < result.width; ++x) to[x] = to[mirrored(x, grey.width)];
  }
  return result;
}

// Sums over 7 rows, of the samples and of their squares, with room for the window's overhang on both sides.
struct Sums {
  std::vector<double> mean, square;
  explicit Sums(int width) : mean(width + 2 * kRadius), square(mean) {}
};

void weigh_down(const Plane& image, int y, const Window& window, Sums& sums) {
  const auto row = [&](int at) {
    return &image.values[size_t(std::clamp(at, 0, image.height - 1)) * image.width];
  };
  double* mean = sums.mean.data() + kRadius;
  double* square = sums.square.data() + kRadius;
  const double* middle = row(y);
  for (int x = 0; x < image.width; ++x) {
    mean[x] = window[0] * middle[x];
    square[x] = window[0] * (middle[x] * middle[x]);
  }
  for (int k = 1; k <= kRadius; ++k) {
    const double* above = row(y - k);
    const double* below = row(y + k);
    for (int x = 0; x < image.width; ++x) {
      mean[x] += window[k] * (above[x] + below[x]);
      square[x] += window[k] * (above[x] * above[x] + below[x] * below[x]);
    }
  }
  for (double* side : {mean, square}) {
    std::fill_n(side - kRadius, kRadius, side[0]);
    std::fill_n(side + image.width, kRadius, side[image.width - 1]);
  }
}

double weighed_across(const double* middle, const Window& window) {
  double sum = window[0] * middle[0];
  for (int k = 1; k <= kRadius; ++k) sum += window[k] * (middle[-k] + middle[k]);
  return sum;
}

// Row y of (I - mu) / (sd + 1).
void normalise(const Plane& image, int y, const Window& window, Sums& sums, double* out) {
  weigh_down(image, y, window, sums);
  const double* in = &image.values[size_t(y) * image.width];
  const double* mean = sums.mean.data() + kRadius;
  const double* square = sums.square.data() + kRadius;
  for (int x = 0; x < image.width; ++x) {
    const double mu = weighed_across(mean + x, window);
    const double variance = weighed_across(square + x, window) - mu * mu;
    out[x] = (in[x] - mu) / (std::sqrt(std::abs(variance)) + 1);
  }
}

// Sample variance (N - 1) of at(0) .. at(count - 1).
template <class At>
double variance_of(int count, At at) {
  double sum = 0, squares = 0;
  for (int i = 0; i < count; ++i) sum += at(i);
  const double mean = sum / count;
  for (int i = 0; i < count; ++i) squares += (at(i) - mean) * (at(i) - mean);
  return squares / (count - 1);
}

// One block inside rows of `stride` samples.
struct Block {
  const double* first;
  size_t stride;
  double at(int y, int x) const { return first[y * stride + x]; }
};

// Any of the 11 segments of any edge is nearly constant.
bool is_impaired(const Block& block) {
  constexpr int kLast = kBlock - 1;
  for (int from = 0; from + kSegment <= kBlock; ++from) {
    const double least = std::min({
        variance_of(kSegment, [&](int i) { return block.at(0, from + i); }),
        variance_of(kSegment, [&](int i) { return block.at(kLast, from + i); }),
        variance_of(kSegment, [&](int i) { return block.at(from + i, 0); }),
        variance_of(kSegment, [&](int i) { return block.at(from + i, kLast); }),
    });
    if (std::sqrt(least) < kImpaired) return true;
  }
  return false;
}

// The surround lacks columns 7 and 9 and not, as the paper has it, 7 and 8: the reference removes column 7
// and then column 8 of what is left.
bool is_noisy(const Block& block, double variance) {
  const double centre = variance_of(2 * kBlock, [&](int i) { return block.at(i / 2, kCentre + i % 2); });
  std::array<int, kBlock - 2> columns;
  for (int x = 0, next = 0; x < kBlock; ++x) {
    if (x != kCentre && x != kCentre + 2) columns[next++] = x;
  }
  constexpr int kColumns = columns.size();
  const double surround =
      variance_of(kBlock * kColumns, [&](int i) { return block.at(i / kColumns, columns[i % kColumns]); });
  const double sigma = std::sqrt(variance);
  double ratio = std::sqrt(centre) / std::sqrt(surround);
  if (std::isnan(ratio)) ratio = 0;  // 0 / 0
  const double beta = std::abs(sigma - ratio) / std::max(sigma, ratio);
  return sigma > 2 * beta;  // an infinite ratio makes beta NaN: not noisy, as in the reference
}

// What one row of blocks adds to the score.
struct Part {
  double distortion = 0;
  int active = 0, impaired = 0, noisy = 0;
};

Part judged(const double* rows, int width) {
  Part part;
  for (int x = 0; x < width; x += kBlock) {
    const Block block{rows + x, size_t(width)};
    const double variance =
        variance_of(kBlock * kBlock, [&](int i) { return block.at(i / kBlock, i % kBlock); });
    if (!(variance > kActive)) continue;
    const bool impaired = is_impaired(block), noisy = is_noisy(block, variance);
    ++part.active;
    part.impaired += impaired;
    part.noisy += noisy;
    if (impaired) part.distortion += 1 - variance;
    if (noisy) part.distortion += variance;
  }
  return part;
}

}  // namespace

Piqe piqe(const Plane& grey, ThreadPool& threads) {
  const double largest = *std::max_element(grey.values.begin(), grey.values.end());
  if (!(largest > 0)) return {};
  const Plane image = prepared(grey, largest);
  const Window window = gaussian();
  std::vector<Part> parts(image.height / kBlock);
  threads.parallel_for(int64_t(parts.size()), 1, [&](int64_t begin, int64_t end) {
    Sums sums(image.width);
    std::vector<double> rows(size_t(kBlock) * image.width);
    for (int64_t band = begin; band < end; ++band) {
      for (int y = 0; y < kBlock; ++y)
        normalise(image, int(band) * kBlock + y, window, sums, &rows[size_t(y) * image.width]);
      parts[band] = judged(rows.data(), image.width);
    }
  });

  Piqe result;
  double distortion = 0;
  for (const Part& part : parts) {
    distortion += part.distortion;
    result.active += part.active;
    result.impaired += part.impaired;
    result.noisy += part.noisy;
  }
  result.score = 100 * (distortion + kStability) / (double(result.active) + kStability);
  return result;
}

Result<Score> piqe(const Picture& picture, int shave) {
  if (auto ok = check_shave(picture, shave, 1); !ok) return ok.error();
  // Starting threads costs more than they save where the whole picture takes a few milliseconds.
  ThreadPool threads(picture.width * int64_t(picture.height) < kWorthThreads ? 1 : 0);
  return Score{piqe(grey(shaved(picture, shave)), threads).score, false};
}

}  // namespace fye
