#include "quality/table.h"

#include "quality/psnr.h"
#include "quality/ssim.h"

namespace fye {
namespace {

constexpr Metric kMetrics[] = {
    {"psnr_y", "dB", Better::higher, Needs::original, true, psnr_y},
    {"psnr_rgb", "dB", Better::higher, Needs::original, true, psnr_rgb},
    {"ssim_y", "", Better::higher, Needs::original, true, ssim_y},
    {"ssim_grey", "", Better::higher, Needs::original, true, ssim_grey},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

const Metric* find_metric(std::string_view name) {
  for (const Metric& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

}  // namespace fye
