// What a bulk run has before it: the headers of its pictures, the order in which they are done, and about how long and
// how much they take.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "batch/batch.h"
#include "batch/estimate.h"
#include "cli/up_options.h"
#include "image/file.h"

namespace fye {

// By job; a film or an unreadable picture has no info.
using Infos = std::vector<std::optional<PictureInfo>>;

struct Survey {
  Infos infos;
  std::vector<size_t> order;  // the jobs that are left: pictures of one size together, films last
  std::vector<Costs> costs;   // by place in the order
};

Survey survey_of(std::span<const Job> jobs, std::span<const Outcome> outcomes, const UpSettings& settings);

// A guess before anything was done, from one small run of the network.
struct Forecast {
  double seconds = 0;
  int64_t memory_bytes = 0, disk_bytes = 0;
  double megapixels = 0;  // of the inputs
};

// Films are not in it. Errors: the network can't be run.
Result<Forecast> forecast(std::span<const Job> jobs, const Survey& survey, const UpOptions& options,
                          const UpSettings& settings);

}  // namespace fye
