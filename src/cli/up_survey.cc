#include "cli/up_survey.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cli/up_network.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

// An edge of the picture that a forecast measures: small enough for a second with the largest networks.
constexpr int kProbeEdge = 64;

// Seconds a megapixel of output takes to encode, two cores; and its bytes, in parts of a megabyte. Measured on the enlarged
// pictures of a test set with abpn_x3 (bench/bulk).
struct Encoding {
  double seconds, megabytes;
};
Encoding encoding_of(CostOf kind) {
  switch (kind) {
    case CostOf::png_mp:
      return {0.12, 1.5};
    case CostOf::webp_mp:
      return {0.2, 0.25};
    case CostOf::tiff_mp:
      return {0.05, 3};
    default:
      return {0.02, 0.4};
  }
}

CostOf encoder_of(const fs::path& output) {
  std::string extension = output.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (extension == ".png") return CostOf::png_mp;
  if (extension == ".webp") return CostOf::webp_mp;
  return extension == ".tif" || extension == ".tiff" ? CostOf::tiff_mp : CostOf::jpeg_mp;
}

Costs costs_of(const Job& job, const std::optional<PictureInfo>& info, const PictureInfo* before, int scale, bool tta) {
  Costs costs{};
  at(costs, CostOf::file) = 1;
  if (!info) return costs;
  const double megapixels = double(info->width) * info->height / 1e6;
  at(costs, CostOf::new_size) = !before || before->width != info->width || before->height != info->height;
  // Alpha goes through the network as a picture of its own.
  at(costs, CostOf::network_mp) = megapixels * (info->channels % 2 == 0 ? 2 : 1) * (tta ? 8 : 1);
  at(costs, encoder_of(job.output)) = megapixels * scale * scale;
  return costs;
}

}  // namespace

Survey survey_of(std::span<const Job> jobs, std::span<const Outcome> outcomes, const UpSettings& settings) {
  Survey survey;
  survey.infos.resize(jobs.size());
  std::map<std::pair<int, int>, size_t> groups;  // size: when it first came
  std::vector<size_t> group(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (outcomes[i].fate != Fate::left) continue;
    survey.order.push_back(i);
    if (jobs[i].film) {
      group[i] = jobs.size();
      continue;
    }
    const auto info = probe_picture(jobs[i].input, settings.pictures.limits);
    if (info) survey.infos[i] = *info;
    group[i] = groups.try_emplace(info ? std::pair(info->width, info->height) : std::pair(0, 0), groups.size()).first->second;
  }
  std::stable_sort(survey.order.begin(), survey.order.end(), [&](size_t a, size_t b) { return group[a] < group[b]; });
  const PictureInfo* before = nullptr;
  for (const size_t job : survey.order) {
    const auto& info = survey.infos[job];
    survey.costs.push_back(costs_of(jobs[job], info, before, settings.scale(), settings.pictures.tta));
    if (info) before = &*info;
  }
  return survey;
}

Result<Forecast> forecast(std::span<const Job> jobs, const Survey& survey, const UpOptions& options,
                          const UpSettings& settings) {
  ThreadPool threads(settings.threads.work);
  auto plain = settings;
  plain.deadline.reset();
  Upscalers upscalers(options, plain, threads, {});
  auto upscaler = upscalers.for_size(kProbeEdge, kProbeEdge);
  if (!upscaler) return upscaler.error();
  const Picture probe(kProbeEdge, kProbeEdge, 3);
  double ms = 0;
  Forecast cast;
  for (int run = 0; run < 2; ++run) {  // the first is for practice
    const Stopwatch watch;
    const auto done = (*upscaler)->run(probe);
    if (!done) return done.error();
    ms = watch.ms();
    cast.memory_bytes = done->report.arena_bytes;
  }
  const double network_s = ms / 1000 / (double(kProbeEdge) * kProbeEdge / 1e6);
  double networks = 0, encoders = 0;
  int64_t pictures = 0;
  for (size_t place = 0; place < survey.order.size(); ++place) {
    const auto& info = survey.infos[survey.order[place]];
    if (!info) continue;
    Costs costs = survey.costs[place];
    const CostOf kind = encoder_of(jobs[survey.order[place]].output);
    const Encoding encoding = encoding_of(kind);
    cast.megapixels += double(info->width) * info->height / 1e6;
    networks += at(costs, CostOf::network_mp) * network_s;
    encoders += at(costs, kind) * encoding.seconds;
    cast.disk_bytes += int64_t(at(costs, kind) * encoding.megabytes * 1e6);
    pictures = std::max(pictures, picture_work_bytes(*info, settings.scale(), settings.pictures.tta));
  }
  // They overlap where there is more than one core.
  cast.seconds = threads.size() > 1 ? std::max(networks, encoders) : networks + encoders;
  const int64_t budget = settings.upscale.memory_bytes > 0 ? settings.upscale.memory_bytes : free_bytes() / 4 * 3;
  cast.memory_bytes = std::min(budget, resident_bytes() + cast.memory_bytes + pictures);
  return cast;
}

}  // namespace fye
