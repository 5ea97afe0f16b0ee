// One picture file of a batch: read, enlarged and written in three stages, or by rows where it is large.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/result.h"
#include "batch/jobs.h"
#include "batch/privacy.h"
#include "runtime/upscale_file.h"

namespace fye {

struct PictureOptions {
  WriteOptions write;
  ReadLimits limits;
  MetadataRule metadata = MetadataRule::keep;
  bool tta = false;  // the mean of eight flips and rotations (runtime/tta.h)
};

// The upscaler for pictures of a size; the same as long as nothing about it changes. Called on the working thread.
using UpscalerFor = std::function<Result<Upscaler*>(int width, int height)>;

// The stages of a picture that fits into memory beside its neighbours. `report` outlives the work.
std::unique_ptr<Work> picture_work(const std::filesystem::path& in, const std::filesystem::path& out,
                                   const PictureOptions& options, const UpscalerFor& upscaler_for, FileReport& report);

// The same for a picture that has the memory to itself: by rows if need be, all in its work() stage. With tta, or
// metadata that is not kept, it is held whole, within the upscaler's budget.
std::unique_ptr<Work> large_picture_work(const std::filesystem::path& in, const std::filesystem::path& out,
                                         const PictureOptions& options, const UpscalerFor& upscaler_for,
                                         FileReport& report);

// Bytes that all stages of such a picture hold at once, at most, beside the network's maps: decoder, pictures in and
// out with what lies between them, encoder.
int64_t picture_work_bytes(const PictureInfo& info, int scale, bool tta);

}  // namespace fye
