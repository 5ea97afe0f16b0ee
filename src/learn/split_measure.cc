#include "learn/split_measure.h"

#include <algorithm>
#include <cmath>

#include "execute/fidelity.h"
#include "execute/plain.h"
#include "graph/units.h"
#include "quality/comparison.h"

namespace fye {
namespace {

std::vector<Picture> pictures_of(const at::Tensor& grey) {
  std::vector<Picture> pictures;
  const auto rows = grey.permute({0, 2, 3, 1}).contiguous();
  for (int64_t i = 0; i < rows.size(0); ++i) {
    Picture picture(int(rows.size(2)), int(rows.size(1)), 3);
    std::copy_n(rows[i].data_ptr<uint8_t>(), picture.bytes.size(), picture.bytes.begin());
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

// As `fye up` writes it.
Picture picture_of(const Map& map, const Quant& quant) {
  Picture picture(map.region.w, map.region.h, 3);
  uint8_t* to = picture.u8();
  for (int y = 0; y < map.region.h; ++y)
    for (int x = 0; x < map.region.w; ++x)
      for (int c = 0; c < 3; ++c)
        *to++ = uint8_t(
            std::clamp(std::nearbyint(map.at<float>(y, x)[c] / quant.scale) + float(quant.zero), 0.f, 255.f));
  return picture;
}

}  // namespace

Result<PlanRunner> PlanRunner::make(const SplitNet& net, const SplitCrops& crops) {
  PlanRunner runner(net);
  runner.side_ = int(crops.low.size(2));
  runner.low_ = pictures_of(crops.low);
  runner.high_ = pictures_of(crops.high);
  auto exact = runner.outputs(Assignment(units_of(net.graph).size(), 0));
  if (!exact) return exact.error();
  runner.exact_ = *std::move(exact);
  return runner;
}

Result<std::vector<OwnedMap>> PlanRunner::outputs(const Assignment& plan) const {
  std::vector<const Processor*> placement(net_->graph.nodes.size());
  const auto units = units_of(net_->graph);
  for (size_t u = 0; u < units.size(); ++u)
    for (const int node : units[u].nodes) placement[size_t(node)] = net_->processors[size_t(plan[u])];
  auto executor = Executor::prepare(net_->graph, &net_->calib, placement, {.height = side_, .width = side_});
  if (!executor) return executor.error();
  ThreadPool here(1);
  std::vector<OwnedMap> outputs;
  for (const Picture& low : low_) {
    const OwnedMap in = make_map(DType::u8, net_->picture, 3, {0, 0, side_, side_}, 0, 3);
    for (int y = 0; y < side_; ++y)
      std::copy_n(low.u8() + size_t(y) * side_ * 3, size_t(side_) * 3, in.map.at<uint8_t>(y, 0));
    outputs.push_back(make_map(DType::f32, {}, executor->out_channels(),
                               {0, 0, executor->out_height(), executor->out_width()}));
    if (auto ran = executor->run(in.map, outputs.back().map, here); !ran) return ran.error();
  }
  return outputs;
}

Result<double> PlanRunner::msef(const Assignment& plan) const {
  const auto made = outputs(plan);
  if (!made) return made.error();
  double sum = 0;
  for (size_t i = 0; i < made->size(); ++i)
    sum += fye::msef((*made)[i].map, exact_[i].map, net_->picture) / double(made->size());
  return sum;
}

Result<PlanScores> PlanRunner::scores(const Assignment& plan) const {
  const auto made = outputs(plan);
  if (!made) return made.error();
  const Metric rows[] = {*find_metric("psnr_y"), *find_metric("ssim_y"), *find_metric("lpips_alex"),
                         *find_metric("piqe")};
  PlanScores all;
  std::vector<Scores> scores, to_float;
  for (size_t i = 0; i < made->size(); ++i) {
    all.msef += fye::msef((*made)[i].map, exact_[i].map, net_->picture) / double(made->size());
    const Picture picture = picture_of((*made)[i].map, net_->picture);
    auto compared = compare_pair(high_[i], picture, net_->scale, rows);
    if (!compared) return compared.error();
    scores.push_back(*std::move(compared));
    const Picture exact = picture_of(exact_[i].map, net_->picture);
    // Without LPIPS's weights there is no distance to the float network's picture, and that is all.
    if (auto apart = compare_pair(exact, picture, net_->scale, {&rows[2], 1})) to_float.push_back(*apart);
  }
  for (const auto& [name, mean] : means(scores, &Scores::of_picture))
    all.scores[std::string(name)] = mean.value;
  for (const auto& [name, mean] : means(to_float, &Scores::of_picture))
    all.scores["lpips_to_float"] = mean.value;
  return all;
}

}  // namespace fye
