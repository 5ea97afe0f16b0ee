#include "runtime/rerank.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/clock.h"
#include "quality/lpips.h"
#include "quality/psnr.h"
#include "runtime/upscale.h"

namespace fye {
namespace {

Result<Upscaler> upscaler_for(const Model& model, const Plan& plan, ThreadPool& threads) {
  UpscaleOptions options;
  options.plan = plan;
  return Upscaler::create(model, options, threads);
}

// From the PSNR of the two, which saves a third way to compare pictures.
double msef_of(const Score& psnr) {
  constexpr double kTop = 255. * 255;
  return psnr.identical ? 0 : kTop / std::pow(10, psnr.value / 10);
}

}  // namespace

// On noise: the time of a network does not depend on what it sees.
Result<std::vector<double>> time_plans(const Model& model, std::span<const Plan> plans,
                                       const RerankOptions& options, ThreadPool& threads) {
  Picture in(options.width, options.height, 3),
      out(options.width * model.conventions.scale, options.height * model.conventions.scale, 3);
  std::minstd_rand random(1);
  for (size_t i = 0; i < in.samples(); ++i) in.u8()[i] = uint8_t(random() >> 8);
  std::vector<Upscaler> upscalers;
  for (const Plan& plan : plans) {
    auto made = upscaler_for(model, plan, threads);
    if (!made) return made.error();
    upscalers.push_back(*std::move(made));
  }
  std::vector<std::vector<double>> times(plans.size());
  for (int round = 0; round <= options.rounds; ++round)
    for (size_t i = 0; i < upscalers.size(); ++i) {
      const Stopwatch watch;
      if (auto status = upscalers[i].run_into(in, out); !status) return status.error();
      if (round > 0) times[i].push_back(watch.ms());  // the first warms up
    }
  std::vector<double> ms;
  for (const auto& each : times) ms.push_back(median(each));
  return ms;
}

Result<std::vector<Ranked>> rerank(const Model& model, std::span<const Plan> plans,
                                   std::span<const Picture> pictures, const RerankOptions& options,
                                   ThreadPool& threads, const std::function<void(double)>& progress) {
  if (plans.empty()) return bad_input("there are no plans to rank");
  if (pictures.empty()) return bad_input("there are no pictures to rank plans on", "give 8 to 20 small ones");
  std::vector<Ranked> ranked(plans.size());
  for (size_t i = 0; i < plans.size(); ++i) ranked[i].candidate = int(i);
  const auto ms = time_plans(model, plans, options, threads);
  if (!ms) return ms.error();
  for (size_t i = 0; i < plans.size(); ++i) ranked[i].ms = (*ms)[i];

  auto floats = upscaler_for(model, uniform_plan(model.graph, "cpu.f32"), threads);
  if (!floats) return floats.error();
  bool lpips = true;
  double done = 0;
  std::vector<double> lpf(plans.size());
  for (const Picture& picture : pictures) {
    const auto exact = floats->run(picture);
    if (!exact) return exact.error();
    for (size_t i = 0; i < plans.size(); ++i) {
      auto upscaler = upscaler_for(model, plans[i], threads);
      if (!upscaler) return upscaler.error();
      const auto ours = upscaler->run(picture);
      if (!ours) return ours.error();
      const auto psnr = psnr_rgb(exact->picture, ours->picture, 0);
      if (!psnr) return psnr.error();
      ranked[i].msef += msef_of(*psnr) / double(pictures.size());
      if (lpips) {
        const auto distance = lpips_alex(exact->picture, ours->picture, 0);
        if (!distance && !is_not_installed(distance.error())) return distance.error();
        lpips = bool(distance);
        if (distance) lpf[i] += distance->value / double(pictures.size());
      }
      if (progress) progress(++done / double(plans.size() * pictures.size()));
    }
  }
  if (lpips)
    for (size_t i = 0; i < plans.size(); ++i) ranked[i].lpf = lpf[i];
  std::stable_sort(ranked.begin(), ranked.end(), [&](const Ranked& a, const Ranked& b) {
    const bool a_meets = a.ms <= options.deadline_ms, b_meets = b.ms <= options.deadline_ms;
    if (a_meets != b_meets) return a_meets;
    if (!a_meets) return a.ms < b.ms;
    return a.lpf && b.lpf ? *a.lpf < *b.lpf : a.msef < b.msef;
  });
  return ranked;
}

}  // namespace fye
