#include "quality/table.h"

#include "quality/iqam.h"
#include "quality/lpips.h"
#include "quality/ms_ssim.h"
#include "quality/piqe.h"
#include "quality/psnr.h"
#include "quality/ssim.h"

namespace fye {
namespace {

template <Result<Score> (*score)(const Picture&, int shave)>
Result<Score> of_second(const Picture&, const Picture& b, int shave) {
  return score(b, shave);
}

template <Result<Score> (*score)(const Picture&, int block, int shave), int block>
Result<Score> of_second(const Picture&, const Picture& b, int shave) {
  return score(b, block, shave);
}

constexpr Metric kMetrics[] = {
    {"psnr_y", "dB", Better::higher, Needs::original, true, psnr_y},
    {"psnr_rgb", "dB", Better::higher, Needs::original, true, psnr_rgb},
    {"ssim_y", "", Better::higher, Needs::original, true, ssim_y},
    {"ssim_grey", "", Better::higher, Needs::original, true, ssim_grey},
    {"ms_ssim", "", Better::higher, Needs::original, false, ms_ssim},
    {"lpips_alex", "", Better::lower, Needs::original, false, lpips_alex},
    {"piqe", "", Better::lower, Needs::nothing, true, of_second<piqe>},
    {"iqam_4", "", Better::higher, Needs::nothing, false, of_second<iqam, 4>},
    {"iqam_8", "", Better::higher, Needs::nothing, false, of_second<iqam, 8>},
    {"boundary_step_8", "", Better::lower, Needs::nothing, false, of_second<boundary_step, 8>},
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
