#include "learn/estimator_score.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/spearman.h"
#include "base/threads.h"
#include "quality/piqe.h"

namespace fye {
namespace {

constexpr int64_t kBatch = 16;
constexpr size_t kLeastOutputs = 3;
constexpr double kLeastSpan = 0.5;

torch::Tensor crops_at(const CropSet& set, std::span<const int64_t> rows) {
  std::vector<torch::Tensor> pictures;
  for (const int64_t row : rows) pictures.push_back(set.pixels[row]);
  return torch::stack(pictures).to(torch::kFloat32);
}

// body(begin, end) on ranges of kBatch rows, on threads.
void in_batches(size_t count, int threads, const std::function<void(size_t, size_t)>& body) {
  ThreadPool pool(threads);
  const auto batches = int64_t((count + kBatch - 1) / kBatch);
  pool.parallel_for(batches, 1, [&](int64_t first, int64_t last) {
    torch::init_num_threads();
    for (int64_t i = first; i < last; ++i)
      body(size_t(i * kBatch), std::min(count, size_t((i + 1) * kBatch)));
  });
}

double hard_score(const torch::Tensor& picture) {
  Plane plane(int(picture.size(-1)), int(picture.size(-2)));
  const auto values = picture.to(torch::kFloat64).contiguous();
  std::copy_n(values.data_ptr<double>(), plane.values.size(), plane.values.begin());
  ThreadPool here(1);
  return piqe(plane, here).score;
}

}  // namespace

std::vector<double> scores_of(const Imitation& imitation, const CropSet& set, std::span<const int64_t> rows,
                              int threads) {
  std::vector<double> scores(rows.size());
  in_batches(rows.size(), threads, [&](size_t begin, size_t end) {
    const torch::NoGradGuard no_gradients;
    const auto made =
        imitation(crops_at(set, rows.subspan(begin, end - begin))).to(torch::kFloat64).contiguous();
    std::copy_n(made.data_ptr<double>(), end - begin, scores.begin() + ptrdiff_t(begin));
  });
  return scores;
}

Agreement agreement(const CropSet& set, std::span<const int64_t> rows, std::span<const double> scores) {
  Agreement result{.crops = int64_t(rows.size())};
  std::vector<double> exact;
  struct Outputs {
    std::vector<double> exact, made;
  };
  std::map<std::pair<uint32_t, uint8_t>, Outputs> places;
  for (size_t i = 0; i < rows.size(); ++i) {
    const CropInfo& crop = set.crops[size_t(rows[i])];
    exact.push_back(crop.score);
    result.mean_error += std::abs(crop.score - scores[i]) / double(rows.size());
    if (crop.kind != CropKind::f32 && crop.kind != CropKind::int8 && crop.kind != CropKind::mixed) continue;
    auto& outputs = places[{crop.place, crop.net}];
    outputs.exact.push_back(crop.score);
    outputs.made.push_back(scores[i]);
  }
  result.spearman = spearman(exact, scores);
  for (const auto& [place, outputs] : places) {
    const auto [least, most] = std::minmax_element(outputs.exact.begin(), outputs.exact.end());
    if (outputs.exact.size() < kLeastOutputs || *most - *least < kLeastSpan) continue;
    const double order = spearman(outputs.exact, outputs.made);
    result.within += std::isnan(order) ? 0 : order;
    ++result.places;
  }
  if (result.places > 0) result.within /= double(result.places);
  return result;
}

Guidance guidance(const Imitation& imitation, const CropSet& set, std::span<const int64_t> rows,
                  double levels, int threads) {
  std::vector<double> down(rows.size()), up(rows.size());
  in_batches(rows.size(), threads, [&](size_t begin, size_t end) {
    const auto x = crops_at(set, rows.subspan(begin, end - begin)).set_requires_grad(true);
    imitation(x).sum().backward();
    const auto slope = x.grad() / x.grad().square().mean({1, 2, 3}, true).sqrt().clamp_min(1e-20);
    const torch::NoGradGuard no_gradients;
    for (const auto& [way, changes] : {std::pair{-levels, &down}, {levels, &up}}) {
      const auto moved = (x + way * slope).round().clamp(0, 255);
      for (size_t i = begin; i < end; ++i)
        (*changes)[i] = hard_score(moved[int64_t(i - begin)]) - set.crops[size_t(rows[i])].score;
    }
  });
  Guidance result{.crops = int64_t(rows.size())};
  const double share = rows.empty() ? 0 : 1 / double(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    result.down += down[i] * share;
    result.up += up[i] * share;
    result.right_share += down[i] < up[i] ? share : 0;
  }
  return result;
}

}  // namespace fye
