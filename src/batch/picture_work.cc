// Tested by tests/bulk_test.py.
#include "batch/picture_work.h"

#include <optional>

#include "base/clock.h"
#include "runtime/tta.h"

namespace fye {
namespace {

namespace fs = std::filesystem;

struct Task {
  fs::path in, out;
  PictureOptions options;
  const UpscalerFor& upscaler_for;
};

Result<Upscaled> enlarge(Upscaler& upscaler, const Picture& picture, bool tta) {
  if (!tta) return upscaler.run(picture);
  std::optional<UpscaleReport> report;
  double run_ms = 0;
  auto mean = mean_of_symmetries(picture, [&](const Picture& part) -> Result<Picture> {
    auto larger = upscaler.run(part);
    if (!larger) return larger.error();
    run_ms += larger->report.prepare_ms + larger->report.run_ms;
    if (!report) report = larger->report;
    return std::move(larger->picture);
  });
  if (!mean) return mean.error();
  report->run_ms = run_ms - report->prepare_ms;
  mean->metadata = picture.metadata;
  return Upscaled{*std::move(mean), *std::move(report)};
}

class PictureWork : public Work {
 public:
  PictureWork(Task task, FileReport& report) : task_(std::move(task)), report_(report) {}

  Status load() override {
    const Stopwatch reading;
    auto picture = read_picture(task_.in, task_.options.limits);
    if (!picture) return picture.error();
    picture_ = *std::move(picture);
    apply(task_.options.metadata, picture_.metadata);
    report_.in_width = picture_.width;
    report_.in_height = picture_.height;
    report_.read_ms = reading.ms();
    return {};
  }

  Status work() override {
    auto upscaler = task_.upscaler_for(picture_.width, picture_.height);
    if (!upscaler) return upscaler.error();
    auto larger = enlarge(**upscaler, picture_, task_.options.tta);
    if (!larger) return Error{larger.error().code, named(larger.error().what), larger.error().hint};
    picture_ = std::move(larger->picture);
    report_.upscale = std::move(larger->report);
    report_.width = picture_.width;
    report_.height = picture_.height;
    report_.channels = picture_.channels;
    report_.bits = picture_.bits;
    return {};
  }

  Status save() override {
    const Stopwatch writing;
    const auto lost = write_picture(picture_, task_.out, task_.options.write);
    if (!lost) return lost.error();
    report_.write_ms = writing.ms();
    report_.upscale.notices.insert(report_.upscale.notices.end(), lost->begin(), lost->end());
    return {};
  }

 private:
  std::string named(const std::string& what) const { return task_.in.string() + ": " + what; }

  Task task_;
  FileReport& report_;
  Picture picture_;  // what comes in, then what goes out
};

class LargePictureWork : public Work {
 public:
  LargePictureWork(Task task, FileReport& report) : task_(std::move(task)), report_(report) {}
  Status load() override { return {}; }
  Status work() override {
    // The size does not matter here: who chooses upscalers by size (a deadline) does not come with large pictures.
    const auto info = probe_picture(task_.in, task_.options.limits);
    if (!info) return info.error();
    auto upscaler = task_.upscaler_for(info->width, info->height);
    if (!upscaler) return upscaler.error();
    auto report = upscale_file(**upscaler, task_.in, task_.out, {task_.options.write, task_.options.limits});
    if (!report) return report.error();
    report_ = *std::move(report);
    return {};
  }
  Status save() override { return {}; }

 private:
  Task task_;
  FileReport& report_;
};

// The three stages of one picture, one after the other.
class WholePictureWork : public Work {
 public:
  WholePictureWork(Task task, FileReport& report) : stages_(std::move(task), report) {}
  Status load() override { return {}; }
  Status work() override {
    for (const auto stage : {&PictureWork::load, &PictureWork::work, &PictureWork::save})
      if (auto ok = (stages_.*stage)(); !ok) return ok;
    return {};
  }
  Status save() override { return {}; }

 private:
  PictureWork stages_;
};

}  // namespace

std::unique_ptr<Work> picture_work(const fs::path& in, const fs::path& out, const PictureOptions& options,
                                   const UpscalerFor& upscaler_for, FileReport& report) {
  return std::make_unique<PictureWork>(Task{in, out, options, upscaler_for}, report);
}

std::unique_ptr<Work> large_picture_work(const fs::path& in, const fs::path& out, const PictureOptions& options,
                                         const UpscalerFor& upscaler_for, FileReport& report) {
  Task task{in, out, options, upscaler_for};
  if (options.tta || options.metadata != MetadataRule::keep)
    return std::make_unique<WholePictureWork>(std::move(task), report);
  return std::make_unique<LargePictureWork>(std::move(task), report);
}

int64_t picture_work_bytes(const PictureInfo& info, int scale, bool tta) {
  const int64_t in = int64_t{info.width} * info.height * info.channels * (info.bits / 8);
  const int64_t out = in * scale * scale;
  // Working holds the most: input, its opaque copy, the result, alpha's apart; encoding holds the result and what the
  // encoder makes of it. TTA adds a turned result and sums of twice the width.
  return 3 * in + (info.channels % 2 == 0 ? 3 : 2) * out + (tta ? 3 * out : 0);
}

}  // namespace fye
